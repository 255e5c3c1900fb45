"""`steelyard weigh` with real workers on a person's file, and the artefact it leaves."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import shlex
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import toy

from steelyard import store
from steelyard.api import BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.weigh import export

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
MARKER = "zqxmarker"
TEAMS = {"access", "billing", "product", "shipping"}
COLUMNS = ("--text", "message", "--label", "team")

pytestmark = [
    pytest.mark.export,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("sklearn", "onnx", "onnxruntime")),
        reason="needs the export extra",
    ),
]


def call(
    folder: Path, *arguments: str, given: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "steelyard", "weigh", *arguments],
        cwd=folder,
        env=toy.environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = child.communicate(given, timeout=900)
    return subprocess.CompletedProcess(arguments, child.returncode, out.decode(), err.decode())


def tickets(rows: int) -> list[dict[str, str]]:
    """Return made-up tickets, every one of which holds a word that must not be told."""
    location = EXAMPLES / "make_tickets.py"
    spec = importlib.util.spec_from_file_location("make_tickets", location)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = ("message", "team", "customer", "sent")
    found = [dict(zip(names, row, strict=True)) for row in module.tickets(rows)]
    return [{**row, "message": f"{row['message']} {MARKER}"} for row in found]


class Weighed:
    """A finished `steelyard weigh` on a CSV."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "results/local/mine"
        lines = [f'"{row["message"]}";{row["team"]}' for row in tickets(160)]
        text = "\r\n".join(["message;team", *lines, lines[0], '"";billing', "alone;rare"])
        (folder / "mine.csv").write_bytes(text.encode("utf-8-sig"))
        self.done = call(folder, "mine.csv", *COLUMNS, "--offline")

    def example(self) -> str:
        """Return the Python lines that were printed."""
        return self.done.stdout[self.done.stdout.index("import json") :]


needs_examples = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the examples are not beside an installed wheel's tests"
)


@pytest.fixture(scope="module")
def weighed(tmp_path_factory: pytest.TempPathFactory) -> Weighed:
    if not EXAMPLES.is_dir():
        pytest.skip("the examples are not beside an installed wheel's tests")
    return Weighed(tmp_path_factory.mktemp("weighed"))


def test_it_prints_table_findings_matrix_and_artefact(weighed: Weighed) -> None:
    done = weighed.done

    assert done.returncode == 0, done.stderr
    assert "tfidf-linear@fp32" in done.stdout
    assert "expected \\ answered" in done.stdout
    assert "(exact McNemar)" in done.stdout
    assert re.search(r"With \d+ test items a difference", done.stdout)
    assert f"Its artefact: {Path('results/local/mine/artifact')}" in done.stdout
    assert "1 without a text (first in line" in done.stderr
    assert "repeat a text" in done.stderr
    assert "left out label rare" in done.stderr


def test_the_specialist_learned_the_tickets(weighed: Weighed) -> None:
    (run,) = store.read_runs(store.latest_run(weighed.home))
    scores = {record.cell.model: record.score() for record in run.records}

    trained, constant = scores["tfidf-linear"], scores["majority"]
    assert trained is not None
    assert constant is not None
    assert trained.value > constant.value + 0.3
    assert trained.n == constant.n


def test_the_printed_lines_answer_in_a_process_without_steelyard(weighed: Weighed) -> None:
    text = weighed.example()
    assert "steelyard" not in text

    for asked, team in [("please refund the invoice", "billing"), ("I cannot log in", "access")]:
        code = text.replace(repr("a text of yours"), repr(asked))
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.strip()) == (0, team), done.stderr


def test_the_printed_lines_answer_what_was_measured(weighed: Weighed) -> None:
    folder = store.latest_run(weighed.home)
    (run,) = store.read_runs(folder)
    record = next(one for one in run.records if one.cell.model == "tfidf-linear")
    answers = {
        one.id: one.answer for one in store.read_predictions(folder, str(record.predictions_sha256))
    }
    (data,) = (weighed.folder / "cache/data").glob("*/dataset.json")
    items = msgspec.convert(json.loads(data.read_bytes())["items"], list[Item])
    first = [item for item in items if item.fold == 0]
    assert len(first) > 20
    head, _, _ = weighed.example().partition("scores = ")
    tail = f"""
for text in {[item.text for item in first]!r}:
    print(labels[session.run(None, inputs(families, text))[0].argmax()])
"""

    done = subprocess.run(
        [sys.executable, "-I", "-c", head + tail], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [answers[item.id] for item in first]


def test_no_word_of_the_data_is_told_or_recorded(weighed: Weighed) -> None:
    assert MARKER not in weighed.done.stdout
    assert MARKER not in weighed.done.stderr
    for path in store.latest_run(weighed.home).rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            kept = gzip.decompress(data) if path.suffix == ".gz" else data
            assert MARKER.encode() not in kept, path
    assert (weighed.home / ".gitignore").read_text() == "*\n"


def test_a_finished_one_is_not_run_again_and_other_data_are_not_resumed(weighed: Weighed) -> None:
    again = call(weighed.folder, "mine.csv", *COLUMNS, "--offline", "--resume")

    assert again.returncode == 0, again.stderr
    assert "2 of 2 cells are finished already" in again.stderr
    text = (weighed.folder / "mine.csv").read_bytes()
    (weighed.folder / "mine.csv").write_bytes(text + b"\r\none more;billing\r\n")
    try:
        other = call(weighed.folder, "mine.csv", *COLUMNS, "--offline", "--resume")
    finally:
        (weighed.folder / "mine.csv").write_bytes(text)
    assert other.returncode == 3
    assert "holds a task with other labels or data; choose --name or --output" in other.stderr


@needs_examples
def test_json_lines_from_a_pipe_are_split_by_time(tmp_path: Path) -> None:
    given = "\n".join(map(json.dumps, tickets(120))).encode()

    done = call(
        tmp_path, "-", *COLUMNS, "--time", "sent", "--format", "jsonl", "--name", "piped",
        "--offline", "-o", "out", given=given,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "tested on the later" in done.stderr
    assert 'kind = "official"' in (tmp_path / "out/cards/tasks/piped/card.toml").read_text()


def test_where_nothing_can_be_learned_no_artefact_is_left_to_take(tmp_path: Path) -> None:
    rows = [f"{sha256(str(n).encode()).hexdigest()},{'ab'[n * 7919 % 101 % 2]}" for n in range(120)]
    (tmp_path / "noise.csv").write_text("\n".join(["message,team", *rows]))
    old = tmp_path / "out" / export.FOLDER
    old.mkdir(parents=True)
    (old / "linear.onnx").write_bytes(b"of an earlier call")

    done = call(tmp_path, "noise.csv", *COLUMNS, "--offline", "-o", "out")

    assert done.returncode == 0, done.stderr
    assert "No specialist to take" in done.stdout
    assert "The artefact of an earlier call was removed." in done.stderr
    assert not old.exists()


CSV = "message,team\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(40))


@pytest.mark.parametrize(
    ("data", "more", "status", "said"),
    [
        (CSV.replace("message", "body"), (), 2, "no column 'message'; it has 'body', 'team'"),
        (CSV, ("--label", "message"), 2, "name a column once only"),
        (CSV, ("--name", "../../etc/passwd"), 2, "--name: '../../etc/passwd'; expected"),
        (CSV, ("--name", "spam"), 2, "'spam' is a task that steelyard ships"),
        (CSV, ("--prompt", "{text}?"), 2, "--prompt: write {labels} and {text}"),
        (CSV, ("--generalist", "qwen"), 2, "no model 'qwen'"),
        (CSV, ("--generalist", "tfidf-linear"), 2, "tfidf-linear is a specialist"),
        (CSV, ("--encoding", "klingon"), 2, "no text encoding 'klingon'"),
        (CSV, ("--format", "xls"), 2, "is not one of"),
        (CSV, ("--output", "/proc/nowhere"), 3, "choose another with --output"),
        ("", (), 3, "data.csv: the file is empty"),
        ("message,team\n", (), 3, "a header and no rows"),
        ("message,team\n" + "x,a\ny,a\n" * 20, (), 3, "all rows have one label, 'a'"),
        (CSV + ",a\n" * 10, (), 3, "10 of 50 rows are unusable, more than 5%"),
        (CSV + "x,\x1b]0;title\x07\n" * 4, (), 3, "4 with control characters in the label"),
    ],
)
def test_what_cannot_be_weighed_is_refused_in_one_line(
    tmp_path: Path, data: str, more: tuple[str, ...], status: int, said: str
) -> None:
    (tmp_path / "data.csv").write_text(data)

    done = call(tmp_path, "data.csv", *COLUMNS, "--offline", *more)

    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(("steelyard: ", "Error: "))
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stdout == ""


def test_an_interrupt_while_reading_leaves_nothing_behind(tmp_path: Path) -> None:
    with toy.interruptible():
        child = subprocess.Popen(
            [sys.executable, "-m", "steelyard", "weigh", "-", *COLUMNS, "--offline"],
            cwd=tmp_path,
            env=toy.environment(tmp_path),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert child.stdin is not None
    assert child.stderr is not None
    child.stdin.write(CSV)
    child.stdin.flush()
    # It says which encoder it has no weights for, and then reads.
    assert "left out" in child.stderr.readline()
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=600)

    assert child.returncode == 130, err
    assert "Traceback" not in err
    assert not (tmp_path / "results").exists()


@needs_examples
def test_the_example_is_what_its_script_writes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "make_tickets.py"), "--rows", "300"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    assert done.stdout == (EXAMPLES / "tickets.csv").read_bytes()


@needs_examples
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(EXAMPLES)
    text = (DOCS / "your-own-data.md").read_text()

    for line in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
        program, *arguments = shlex.split(line)
        if program == "python":
            done = subprocess.run(
                [sys.executable, *arguments],
                cwd=tmp_path, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.stdout.strip() in TEAMS, done.stderr
            continue
        assert (program, arguments[0]) == ("steelyard", "weigh")
        weighed = call(tmp_path, *arguments[1:], "--offline")
        assert weighed.returncode == 0, f"{line}\n{weighed.stderr}"


@pytest.mark.filterwarnings("ignore")  # of torch and optimum
def test_the_lines_of_an_encoder_answer_what_the_backend_answers(tmp_path: Path) -> None:
    for needed in ("torch", "optimum", "transformers", "tokenizers"):
        pytest.importorskip(needed)
    folder, labels = _tiny_head(tmp_path), tuple(Label(id=x, words=x) for x in ("grain", "oil"))
    from steelyard.backends.ort.encoder import open_encoder

    spec = SessionSpec(
        artifact=str(folder), session="encoder", threads=1, labels=labels, options={}
    )
    session = open_encoder(spec)
    for text in ("crude opec", "the wheat", "maize crop maize", "a vessel " * 200, "?"):
        code = export.lines(folder, folder, text)
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
        )
        answer = session.decode(session.infer(session.encode(text)))
        assert done.stdout.strip() == answer.label, done.stderr


def _tiny_head(root: Path) -> Path:
    """Return the first fold of a head on a tiny encoder."""
    from steelyard.recipes.encoder import EncoderOnnx
    from steelyard.recipes.linear_head import LinearHead

    location = Path(__file__).with_name("tiny_encoder.py")
    spec = importlib.util.spec_from_file_location("tiny_encoder", location)
    assert spec is not None
    assert spec.loader is not None
    tiny: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    for name in ("files", "encoder", "head"):
        (root / name).mkdir()
    options: dict[str, Any] = {"max_length": 20, "dimensions": 32, "precision": "fp32"}
    EncoderOnnx().build(
        BuildRequest(files=tiny.make(root / "files"), options=options, threads=1), root / "encoder"
    )
    words = {"oil": ("crude", "barrel", "opec"), "grain": ("wheat", "maize", "crop")}
    items = tuple(
        Item(id=f"{label}-{i}", text=f"the {word} " * (1 + i), label=label)
        for label, chosen in words.items()
        for i, word in enumerate(chosen)
    )
    labels = (Label(id="oil", words="oil"), Label(id="grain", words="grain"))
    training = TrainingSet(task="x", labels=labels, folds=1, items=items)
    head = BuildRequest(files={}, options={}, threads=1, base=root / "encoder", training=training)
    LinearHead().build(head, root / "head")
    return root / "head" / "fold-0"
