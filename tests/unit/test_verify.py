"""A published run that was tampered with: each way is caught and named."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests import toy
from tests.unit.builders import cell, header, record

from steelyard import catalog, plugins, store
from steelyard.api import Answer
from steelyard.catalog import Catalog
from steelyard.errors import StoreError
from steelyard.prepare import data, items
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent
from steelyard.record import ArtifactRef, Measurement, Prediction, Record, RunFile, Sample
from steelyard.record_file import decode_run, encode
from steelyard.report import formats, markdown, verification
from steelyard.report.rows import tables
from steelyard.report.verification import Ground, Line
from steelyard.store import JOURNAL, Journal

CELL = "toy-00/tiny@int8/cpu-1t"
CALLS = 320
ADDS_UP = (
    "raw samples: 320 calls of 1 cell, in each encode + infer + decode is end to end, to the "
    "nanosecond"
)


class Published:
    """A run of one task on disk, and what it is checked against."""

    def __init__(self, folder: Path) -> None:
        project = toy.project(folder)
        self.folder = folder / "run"
        self.catalog: Catalog = catalog.load([project / "cards"])
        self.cache = Cache(folder / "cache")
        self.file = self.folder / "cpu-1t.json"

    def check(self, *others: Path) -> tuple[Line, ...]:
        ground = Ground(catalog=self.catalog, cache=self.cache, progress=Silent())
        lines, runs = verification.verify(self.folder, ground)

        def load(one: Record) -> tuple[Prediction, ...] | None:
            digest = one.predictions_sha256
            return store.read_predictions(self.folder, digest) if digest else None

        try:
            made = tables(runs, load)
        except StoreError as error:
            return (*lines, *verification.tables(self.folder, error, others))
        return (*lines, *verification.tables(self.folder, made, others))

    def wrong(self) -> list[str]:
        return [line.text for line in self.check() if line.status == "wrong"]

    def said(self, status: str) -> list[str]:
        return [line.text for line in self.check() if line.status == status]

    def run(self) -> RunFile:
        return decode_run(self.file.read_bytes(), "run")

    def rewrite(self, change: Callable[[Record], Record]) -> None:
        """Change the records as one who knows the format would: in canonical form."""
        run = self.run()
        changed = replace(run, records=tuple(map(change, run.records)))
        self.file.write_bytes(encode(changed) + b"\n")

    @property
    def predictions(self) -> Path:
        (path,) = (self.folder / "predictions").iterdir()
        return path


def latencies(name: str, values: Sequence[int]) -> Measurement:
    return Measurement(
        quantity=f"latency_{name}", unit="ns", values=tuple(values), method="counter", scope="call"
    )


def measurements() -> tuple[Measurement, ...]:
    encode_ns = [1_000 + i for i in range(CALLS)]
    infer_ns = [50_000 + 7 * i for i in range(CALLS)]
    decode_ns = [300] * CALLS
    whole = [a + b + c for a, b, c in zip(encode_ns, infer_ns, decode_ns, strict=True)]
    return (
        latencies("encode", encode_ns),
        latencies("infer", infer_ns),
        latencies("decode", decode_ns),
        latencies("end_to_end", whole),
    )


@pytest.fixture
def published(tmp_path: Path) -> Published:
    made = Published(tmp_path)
    task = made.catalog.task("toy-00")
    dataset = items.load(task, made.cache, Silent())
    asked = data.test_items(dataset)
    said = tuple(Prediction(id=item.id, expected=item.label, answer="a") for item in asked)
    scorer = plugins.load("scorers", "classification")
    labels = [item.label for item in asked]
    kept = record(
        cell=cell(task="toy-00"),
        task_sha256=task.sha256,
        data_sha256=dataset.sha256,
        sample=Sample(n=len(asked), of=len(asked)),
        scores=tuple(scorer.score([Answer(label="a")] * len(asked), labels, task.card.labels, {})),
        predictions_sha256=store.write_predictions(made.folder, said),
        measurements=measurements(),
    )
    Journal.start(made.folder, header()).append(kept).close()
    (made.folder / JOURNAL).unlink()
    table = tables([made.run()], lambda _: said)
    (made.folder / "table.md").write_text(markdown.text(table))
    (made.folder / "table.csv").write_text(formats.csv_text(table))
    return made


def test_an_untouched_run_is_sound_and_what_was_checked_is_told(published: Published) -> None:
    lines = published.check()

    assert verification.sound(lines)
    assert [line.text for line in lines if line.status == "ok"] == [
        "cpu-1t.json: 1 record, readable, byte for byte in canonical form",
        "predictions: 3 answers in 1 file, each with the sha256 of its name",
        ADDS_UP,
        "scores: 3 recomputed from the predictions, with their intervals",
        "cards: 1 of tasks and models are the present ones",
        "data: 1 task, items and labels as in the cache",
        "table.csv: byte for byte what the raw samples and predictions give",
        "table.md: byte for byte what the raw samples and predictions give",
    ]
    assert [line.text.split(":")[0] for line in lines if line.status == "unchecked"] == [
        "memory, energy, load shapes, evidence",
        "model tiny",
    ]


def test_one_flipped_sample_is_caught_even_where_no_percentile_moves(published: Published) -> None:
    def flip(one: Record) -> Record:
        *parts, whole = one.measurements
        values = list(whole.values)
        values[17] += 1
        return replace(one, measurements=(*parts, replace(whole, values=tuple(values))))

    published.rewrite(flip)

    (wrong,) = published.wrong()
    assert wrong.startswith(f"{CELL}: call 18 of 320: end to end is 51,437 ns, but encode + infer")


def test_a_sample_taken_out_is_caught(published: Published) -> None:
    def shorten(one: Record) -> Record:
        *parts, whole = one.measurements
        return replace(one, measurements=(*parts, replace(whole, values=whole.values[:-1])))

    published.rewrite(shorten)

    assert f"{CELL}: 319 calls end to end, but 320, 320, 320 of encode, infer, decode" in (
        published.wrong()
    )


def test_samples_changed_all_alike_move_the_published_tables(published: Published) -> None:
    def halve(one: Record) -> Record:
        # Faster, and each call still adds up.
        changed = [
            replace(m, values=tuple(2 * value for value in m.values)) for m in one.measurements
        ]
        return replace(one, measurements=tuple(changed))

    published.rewrite(halve)

    wrong = published.wrong()
    assert [text.split(":")[0] for text in wrong] == ["table.csv", "table.md"]
    assert "line " in wrong[0]


def test_one_byte_of_packed_samples_is_caught(published: Published) -> None:
    data = bytearray(published.file.read_bytes())
    data[data.index(b'"packed":"') + 40] ^= 1
    published.file.write_bytes(data)

    assert published.wrong()[0].startswith("cpu-1t.json: not a steelyard run file: ")


def test_one_changed_prediction_is_caught(published: Published) -> None:
    path = published.predictions
    lines = gzip.decompress(path.read_bytes()).replace(b'"answer":"a"', b'"answer":"b"', 1)
    path.write_bytes(gzip.compress(lines, 9, mtime=0))

    assert "predictions are not those that were recorded" in published.wrong()[0]


def test_predictions_changed_with_their_name_no_longer_give_the_score(published: Published) -> None:
    said = store.read_predictions(
        published.folder, published.run().records[0].predictions_sha256 or ""
    )
    published.predictions.unlink()
    better = [replace(one, answer=one.expected) for one in said]
    digest = store.write_predictions(published.folder, better)
    published.rewrite(lambda one: replace(one, predictions_sha256=digest))

    assert published.wrong()[0] == (
        f"{CELL}: accuracy 0.666666666667 of 3 items is recorded, its predictions give 1 of 3"
    )


def test_one_changed_score_is_caught(published: Published) -> None:
    def better(one: Record) -> Record:
        first, *rest = one.scores
        return replace(one, scores=(replace(first, value=0.99), *rest))

    published.rewrite(better)

    assert published.wrong()[0] == (
        f"{CELL}: accuracy 0.99 of 3 items is recorded, its predictions give 0.666666666667 of 3"
    )


def test_one_changed_interval_is_caught(published: Published) -> None:
    def surer(one: Record) -> Record:
        first, *rest = one.scores
        return replace(one, scores=(replace(first, low=0.6), *rest))

    published.rewrite(surer)
    run = published.run()
    host = replace(run.host, packages={"numpy": version("numpy")})
    published.file.write_bytes(encode(replace(run, host=host)) + b"\n")

    assert "accuracy [0.6, " in published.wrong()[0]


def test_labels_that_the_data_set_does_not_have_are_caught(published: Published) -> None:
    said = store.read_predictions(
        published.folder, published.run().records[0].predictions_sha256 or ""
    )
    published.predictions.unlink()
    flattering = [replace(one, expected="a") for one in said]
    digest = store.write_predictions(published.folder, flattering)
    task = published.catalog.task("toy-00").card
    scorer = plugins.load("scorers", "classification")
    scores = tuple(scorer.score([Answer(label="a")] * 3, ["a"] * 3, task.labels, {}))
    published.rewrite(lambda one: replace(one, predictions_sha256=digest, scores=scores))

    assert any("'a' expected, 'b' in the data set" in text for text in published.wrong())


@pytest.mark.parametrize("place", [3, 4, 8, 9])
def test_a_byte_of_the_gzip_header_is_caught(published: Published, place: int) -> None:
    data = bytearray(published.predictions.read_bytes())
    data[place] ^= 0x40
    published.predictions.write_bytes(data)

    assert published.wrong()


def test_a_byte_anywhere_in_the_compressed_answers_is_caught(published: Published) -> None:
    path = published.predictions
    whole = path.read_bytes()
    lines = gzip.decompress(whole)
    for place in range(10, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        # A bit that pads the last byte changes nothing that is read.
        assert published.wrong() or gzip.decompress(path.read_bytes()) == lines, place


def test_truncated_predictions_are_caught(published: Published) -> None:
    path = published.predictions
    path.write_bytes(path.read_bytes()[:-4])

    assert "predictions cannot be read" in published.wrong()[0]


def test_a_truncated_run_file_is_caught(published: Published) -> None:
    published.file.write_bytes(published.file.read_bytes()[:-100])

    assert published.wrong()[0].startswith("cpu-1t.json: damaged: ")


def test_missing_predictions_are_caught(published: Published) -> None:
    published.predictions.unlink()

    wrong = published.wrong()

    assert "predictions cannot be read" in wrong[0]
    assert f"{CELL}: scores without predictions to follow from" in wrong


def test_an_extra_file_of_predictions_is_caught(published: Published) -> None:
    digest = store.write_predictions(
        published.folder, [Prediction(id="1", expected="a", answer="a")]
    )

    assert published.wrong()[0].startswith(f"predictions/{digest}.jsonl.gz: no record names it")


def test_a_record_taken_out_leaves_its_predictions_behind(published: Published) -> None:
    run = published.run()
    published.file.write_bytes(encode(replace(run, records=())) + b"\n")

    assert "a record was taken out" in published.wrong()[0]


def test_a_file_of_another_schema_is_caught(published: Published) -> None:
    text = published.file.read_bytes().replace(b'"schema":2', b'"schema":7')
    published.file.write_bytes(text)

    assert published.wrong()[0] == (
        "cpu-1t.json: schema 7, this steelyard reads 1 to 2; use the steelyard that wrote it, or a "
        "newer one"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + b"\n",
        lambda text: text.replace(b":", b": ", 1),
        lambda text: text.replace(b'"schema":2', b'"schema":2,"commit":null'),
    ],
)
def test_a_run_file_written_by_other_hands_is_caught(
    published: Published, change: Callable[[bytes], bytes]
) -> None:
    published.file.write_bytes(change(published.file.read_bytes()))

    assert published.wrong() == [
        "cpu-1t.json: readable, but not in canonical form: it was written by other hands"
    ]


def test_samples_packed_by_another_zlib_are_told_and_not_called_damage(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zlib

    def weaker(data: bytes, _: int = 9) -> bytes:
        return zlib_compress(data, 1)

    zlib_compress = zlib.compress
    run = published.run()
    with monkeypatch.context() as patched:
        patched.setattr("steelyard.stats.packing.zlib.compress", weaker)
        published.file.write_bytes(encode(run) + b"\n")

    assert published.wrong() == []
    assert "compressed by another zlib, and are the same" in published.said("note")[0]


def test_a_cell_that_stands_twice_is_caught(published: Published) -> None:
    run = published.run()
    published.file.write_bytes(encode(replace(run, records=run.records * 2)) + b"\n")

    assert published.wrong()[0] == f"cpu-1t.json: {CELL} stands in it twice"


def test_another_card_is_told_and_not_called_damage(published: Published) -> None:
    published.rewrite(lambda one: replace(one, task_sha256="0" * 64))

    assert published.wrong() == []
    assert published.said("note")[0].startswith("task toy-00: made with another card (000000000000")


def test_the_journal_pins_what_nothing_else_repeats(published: Published) -> None:
    run = published.run()
    (published.folder / "cpu-1t.json").unlink()
    Journal.start(published.folder, header()).append(run.records[0]).close()
    assert any(text.startswith(f"{JOURNAL}: its lines are intact") for text in published.said("ok"))

    published.rewrite(lambda one: replace(one, seconds=0.1, threads=8))

    assert f"{CELL}: differs from {JOURNAL} in seconds, threads" in published.wrong()


def test_a_sha256sums_pins_every_file_it_lists(published: Published) -> None:
    names = ["cpu-1t.json", "table.md"]
    sums = [hashlib.sha256((published.folder / name).read_bytes()).hexdigest() for name in names]
    lines = "".join(f"{sha256}  {name}\n" for sha256, name in zip(sums, names, strict=True))
    (published.folder / "SHA256SUMS").write_text(lines)
    assert "SHA256SUMS: 2 files as listed" in published.said("ok")

    published.rewrite(lambda one: replace(one, seconds=0.1))

    assert published.wrong() == ["cpu-1t.json: is not the file that is listed (SHA256SUMS)"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{'0' * 64}  gone.json", "gone.json: is listed and missing"),
        (f"{'0' * 64}  ../../secret", "lies outside the run's folder"),
        ("no sum", "SHA256SUMS: not what sha256sum writes"),
        ("", "SHA256SUMS: not what sha256sum writes"),
    ],
)
def test_a_sha256sums_that_does_not_fit_is_caught(
    published: Published, line: str, said: str
) -> None:
    (published.folder / "SHA256SUMS").write_text(line)

    assert any(said in text for text in published.wrong())


def test_an_artefact_in_the_cache_that_is_another_is_told_and_not_called_damage(
    published: Published,
) -> None:
    key = f"{'a' * 32}-{'b' * 16}"
    with published.cache.build("artifacts", key) as out:
        (out / "weights").write_bytes(b"1")
    ref = ArtifactRef(sha256="0" * 64, size_bytes=1, recipe_sha256=key, parameters=1)
    published.rewrite(lambda one: replace(one, artifact=ref))

    (said,) = published.said("differs")
    assert said.startswith(
        f"artefacts of toy-00: the run used 000000000000 for {CELL}, this machine's cache holds "
    )
    assert verification.sound(line for line in published.check() if line.status != "wrong")
    assert not any("artefact" in text for text in published.wrong())


def test_a_data_set_in_the_cache_that_is_another_is_told_and_not_called_damage(
    published: Published,
) -> None:
    here = published.run().records[0].data_sha256 or ""
    published.rewrite(lambda one: replace(one, data_sha256="0" * 64))

    (said,) = published.said("differs")

    assert said == (
        f"data of toy-00: the run used 000000000000, this machine's cache holds {here[:12]}; one "
        "of them is of another version. To see which, make it anew: with "
        "STEELYARD_CACHE=/some/empty/folder, steelyard prepare -k toy-00, then steelyard verify RUN"
    )
    assert verification.sound(published.check())


def test_the_last_line_says_what_was_found_right_and_what_is_open(published: Published) -> None:
    assert verification.conclusion(published.check()) == (
        "Nothing is wrong: 3 scores recomputed, 320 calls consistent; 2 things could not be "
        "checked here."
    )
    published.rewrite(lambda one: replace(one, data_sha256="0" * 64))
    assert "; 1 thing differs from this machine's cache; " in verification.conclusion(
        published.check()
    )
    broken = [Line(status="wrong", text="a"), Line(status="wrong", text="b")]
    assert verification.conclusion(broken) == "2 things are wrong."
    assert verification.conclusion(broken[:1]) == "1 thing is wrong."


def test_a_key_that_is_none_is_no_path(published: Published) -> None:
    ref = ArtifactRef(sha256="0" * 64, size_bytes=1, recipe_sha256="../..", parameters=1)
    published.rewrite(lambda one: replace(one, artifact=ref))

    assert "artefacts: 1 of 1 are not in this machine's cache" in published.said("unchecked")


def test_a_page_may_hold_the_table_between_its_markers(
    published: Published, tmp_path: Path
) -> None:
    table = (published.folder / "table.md").read_text().strip()
    page = tmp_path / "README.md"
    page.write_text(
        f"# Mine\n<!-- steelyard:begin results -->\n\n{table}\n\n<!-- steelyard:end results -->\n"
    )
    held = f"{page.name}: holds, byte for byte, what the raw samples and predictions give"
    assert held in [line.text for line in published.check(page)]

    page.write_text(page.read_text().replace("0.667", "0.767"))

    wrong = [line.text for line in published.check(page) if line.status == "wrong"]
    assert wrong[0].startswith("README.md: does not hold the table")


def test_a_changed_figure_in_a_published_table_is_shown(published: Published) -> None:
    path = published.folder / "table.md"
    path.write_text(path.read_text().replace("0.667", "0.967", 1))

    (wrong,) = published.wrong()

    assert wrong.startswith("table.md: line 5: ")
    assert "0.967" in wrong
    assert "0.667" in wrong


def test_a_folder_without_a_run_is_an_error_of_one_line(tmp_path: Path) -> None:
    made = Published(tmp_path)
    made.folder.mkdir()

    with pytest.raises(StoreError, match="no run files"):
        made.check()


def test_a_run_without_a_table_confirms_no_page(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("<!-- steelyard:begin -->\nanything\n<!-- steelyard:end -->\n")

    (line,) = verification.tables(tmp_path, ())

    assert line.status == "wrong"
