"""Models without a card: what is read, what is refused, and the card that is kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.builders import MODEL_CARD, TASK_CARD

from steelyard import adhoc, catalog, plan, wording
from steelyard.adhoc import keeping, listing
from steelyard.adhoc.card import variant_for
from steelyard.adhoc.listing import Listed
from steelyard.adhoc.reference import Reference
from steelyard.card import FileSource, HubSource, ModelCard, TaskCard
from steelyard.catalog import Catalog, Found
from steelyard.errors import OptionError, Refusal, SourceError
from steelyard.plan import Entry, Suite
from steelyard.prepare.cache import Cache
from steelyard.prepare.sources import hub
from steelyard.prepare.sources.hub import HubFile, Snapshot
from steelyard.progress import Silent

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CHAT = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
SORTER = {"architectures": ["BertForSequenceClassification"], "id2label": {"1": "A", "0": "Pear"}}


class Says(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


class FakeHub:
    """A hub with one repository; large files have a hash and no content."""

    def __init__(self, small: dict[str, bytes], large: tuple[str, ...] = ()) -> None:
        self.small, self.large = small, large
        self.asked: list[str] = []

    def snapshot(self, repo: str, revision: str) -> Snapshot:
        self.asked.append(f"{repo}@{revision}")
        files = [HubFile(path=path, size_bytes=len(data)) for path, data in self.small.items()]
        files += [
            HubFile(path=path, size_bytes=16_000_000_000, sha256=digest(path))
            for path in self.large
        ]
        return Snapshot(commit=COMMIT, files=tuple(files), licence="apache-2.0")

    def download(self, source: HubSource, folder: Path) -> Path:
        assert source.revision == COMMIT
        self.asked.append(source.path)
        written = folder / "fetched"
        written.write_bytes(self.small[source.path])
        return written


def digest(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()


def published(config: dict[str, Any], **more: bytes) -> dict[str, bytes]:
    said = {"config.json": msgspec.json.encode(config), "tokenizer.json": b"{}"}
    return {**said, **{name.replace("__", "."): data for name, data in more.items()}}


def desk(tmp_path: Path, shop: FakeHub | None = None, *, offline: bool = False) -> adhoc.Desk:
    client = shop or FakeHub({})
    return adhoc.Desk(
        cache=Cache(tmp_path / "cache"), progress=Says(), client=client, offline=offline
    )


def tasks() -> dict[str, Found[TaskCard]]:
    card = catalog.decode(TASK_CARD.encode(), TaskCard, "toy")
    return {"toy": Found(card=card, folder=Path(), sha256="0" * 64)}


def made(tmp_path: Path, shop: FakeHub, text: str = f"hub:org/Name@{COMMIT}") -> ModelCard:
    reference = adhoc.parse(text)
    assert reference is not None
    return adhoc.card_of(reference, tasks(), desk(tmp_path, shop)).card


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("hub:Qwen/Qwen2.5-7B@v1.0", ("hub", "Qwen/Qwen2.5-7B", "v1.0", None)),
        ("hub:org/name", ("hub", "org/name", "main", None)),
        ("hub:org/name@main#sub/q4.gguf", ("hub", "org/name", "main", "sub/q4.gguf")),
        ("path:/a/b", ("path", "/a/b", "main", None)),
        ("path:a#b", ("path", "a#b", "main", None)),
        ("path:a#b/c#m.onnx", ("path", "a#b/c", "main", "m.onnx")),
    ],
)
def test_a_reference_names_a_place_a_revision_and_a_file(
    text: str, read: tuple[str, str, str, str | None]
) -> None:
    found = adhoc.parse(text)

    assert found is not None
    assert (found.kind, found.place, found.revision, found.file) == read


@pytest.mark.parametrize(
    "text", ["hub:name", "hub:org/name@", "hub:../x", "hub:a/b/c@d", "path:", "hub:o/n@a b"]
)
def test_a_reference_that_cannot_be_meant_is_an_error(text: str) -> None:
    with pytest.raises(OptionError, match=r"expected (hub|path):"):
        adhoc.parse(text)


def test_any_other_name_is_a_cards() -> None:
    assert adhoc.parse("minilm-head@int8") is None


@given(st.text())
def test_no_text_breaks_the_reading_of_references(text: str) -> None:
    for start in ("hub:", "path:", ""):
        try:
            found = adhoc.parse(start + text)
        except OptionError:
            continue
        assert found is None or (start + text).startswith(found.kind)


def listed(*paths: str) -> list[Listed]:
    return [Listed(path=path) for path in paths]


DESCRIBED = ("config.json", "tokenizer.json")


@pytest.mark.parametrize(
    ("paths", "weights"),
    [
        ((*DESCRIBED, "model.safetensors", "pytorch_model.bin"), ["model.safetensors"]),
        (
            (
                *DESCRIBED,
                "model.safetensors.index.json",
                "model-00002-of-00002.safetensors",
                "model-00001-of-00002.safetensors",
                "original/consolidated.00.pth",
            ),
            ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ),
        (("README.md", "q4.gguf"), ["q4.gguf"]),
        (
            (*DESCRIBED, "onnx/model.onnx", "onnx/model.onnx_data"),
            ["onnx/model.onnx", "onnx/model.onnx_data"],
        ),
    ],
)
def test_the_weights_that_hold_no_code_are_chosen(
    paths: tuple[str, ...], weights: list[str]
) -> None:
    chosen = listing.choose(listed(*paths), None, "here")

    assert [one.path for one in chosen.weights] == weights
    assert not any(one.path.endswith((".bin", ".pth")) for one in chosen.described)


@pytest.mark.parametrize(
    ("paths", "wanted", "message"),
    [
        ((*DESCRIBED, "pytorch_model.bin"), None, "can run code when they are read"),
        (("config.json", "adapter_config.json", "adapter_model.safetensors"), None, "an adapter"),
        (("a.gguf", "b.gguf"), None, "name one with #FILE: a.gguf, b.gguf"),
        (("config.json", "model.safetensors"), None, "has no tokenizer.json"),
        ((*DESCRIBED, "model-00001-of-00002.safetensors"), None, "not all numbered parts"),
        (DESCRIBED, None, "has no weights as safetensors, GGUF or ONNX"),
        (("a.gguf",), "c.gguf", "has no file c.gguf"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(
    paths: tuple[str, ...], wanted: str | None, message: str
) -> None:
    with pytest.raises(Refusal, match=message) as refused:
        listing.choose(listed(*paths), wanted, "hub:org/name@main")

    assert "\n" not in str(refused.value)


def test_a_chat_model_of_a_hub_becomes_a_generalist_pinned_to_its_commit(tmp_path: Path) -> None:
    shop = FakeHub(published(CHAT, tokenizer_config__json=b"{}"), ("model.safetensors",))

    card = made(tmp_path, shop, "hub:Org/Some_Name@main")

    assert (card.id, card.role, card.tasks) == ("some_name-01234567", "generalist", ("*",))
    weights = next(file for file in card.files if file.name == "model.safetensors")
    assert weights.sha256 == digest("model.safetensors")
    assert weights.sources == (
        HubSource(repo="Org/Some_Name", revision=COMMIT, path="model.safetensors"),
    )
    config = next(file for file in card.files if file.name == "config.json")
    assert config.sha256 == hashlib.sha256(msgspec.json.encode(CHAT)).hexdigest()
    assert card.licence == "apache-2.0"
    assert "model.safetensors" not in shop.asked
    assert variant_for(card, "cuda") == "bf16"
    assert variant_for(card, "cpu-all") == "fp32"


def test_a_branch_is_said_with_its_commit_and_a_commit_is_not(tmp_path: Path) -> None:
    shop = FakeHub(published(CHAT), ("model.safetensors",))
    said = desk(tmp_path, shop)
    for revision in ("main", COMMIT):
        adhoc.card_of(Reference(kind="hub", place="o/n", revision=revision), tasks(), said)

    lines = said.progress.lines  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert sum(f"main is commit {COMMIT} now" in line for line in lines) == 1


def test_offline_a_commit_that_was_run_before_is_known_and_a_branch_is_refused(
    tmp_path: Path,
) -> None:
    shop = FakeHub(published(CHAT), ("model.safetensors",))
    before = made(tmp_path, shop)
    offline = desk(tmp_path, FakeHub({}), offline=True)

    again = adhoc.card_of(
        Reference(kind="hub", place="org/Name", revision=COMMIT), tasks(), offline
    )

    assert again.card == before
    with pytest.raises(Refusal, match="main is no commit, and offline no hub is asked"):
        adhoc.card_of(Reference(kind="hub", place="org/Name"), tasks(), offline)
    with pytest.raises(Refusal, match="was not run before"):
        adhoc.card_of(Reference(kind="hub", place="o/n", revision=COMMIT), tasks(), offline)


def test_a_hub_that_does_not_answer_is_said_with_another_way(tmp_path: Path) -> None:
    class Gone(FakeHub):
        def snapshot(self, repo: str, revision: str) -> Snapshot:
            raise SourceError("the hub cannot be reached")

    with pytest.raises(SourceError, match=r"cannot be reached\ntry: path:DIR"):
        made(tmp_path, Gone({}))


@pytest.mark.parametrize(
    ("small", "message"),
    [
        (published({**CHAT, "auto_map": {"AutoModel": "m.M"}}), "code of its own"),
        (published(CHAT, tokenizer_config__json=b'{"auto_map": {}}'), "tokenizer asks for code"),
        (published({"architectures": ["T5ForConditionalGeneration"]}), "T5ForConditionalGener"),
        (published({}), "no architecture"),
        (published({**SORTER, "id2label": {"0": "x"}}), "names no labels"),
        (
            published({**SORTER, "id2label": {"0": "x", "1": "y"}}),
            "its labels are x, y, which no task has: toy has a, b",
        ),
        ({**published({}), "config.json": b"[]"}, "config.json: Expected `object`"),
    ],
)
def test_a_model_that_no_task_can_be_asked_of_is_refused(
    tmp_path: Path, small: dict[str, bytes], message: str
) -> None:
    with pytest.raises(Refusal, match=message):
        made(tmp_path, FakeHub(small, ("model.safetensors",)))


def test_a_classifier_serves_the_tasks_that_have_its_labels(tmp_path: Path) -> None:
    card = made(tmp_path, FakeHub(published(SORTER), ("model.safetensors",)))

    assert (card.role, card.tasks) == ("specialist", ("toy",))
    assert {variant.session for variant in card.variants} == {"classifier"}


def test_a_classifier_in_onnx_needs_no_torch(tmp_path: Path) -> None:
    shop = FakeHub(published(SORTER), ("onnx/model_quantized.onnx",))

    card = made(tmp_path, shop, f"hub:o/n@{COMMIT}#onnx/model_quantized.onnx")

    assert [(v.backend, v.precision) for v in card.variants] == [("onnxruntime", "int8")]
    assert [file.name for file in card.files][-1] == "model.onnx"


def test_a_gguf_runs_on_the_processor_in_int8_and_on_a_gpu_in_bf16(tmp_path: Path) -> None:
    card = made(tmp_path, FakeHub({}, ("a.gguf", "b.gguf")), f"hub:o/n@{COMMIT}#a.gguf")
    other = made(tmp_path, FakeHub({}, ("a.gguf", "b.gguf")), f"hub:o/n@{COMMIT}#b.gguf")

    assert [file.name for file in card.files] == ["a.gguf"]
    assert (variant_for(card, "cpu-2t"), variant_for(card, "cuda")) == ("int8", "bf16")
    assert card.id != other.id


def test_files_of_one_name_in_two_folders_are_two_models(tmp_path: Path) -> None:
    files = ("low/a.gguf", "high/a.gguf")

    cards = [made(tmp_path, FakeHub({}, files), f"hub:o/n@{COMMIT}#{file}") for file in files]

    assert cards[0].id != cards[1].id


def test_a_folder_is_hashed_and_used_where_it_is(tmp_path: Path) -> None:
    home = tmp_path / "My Model!"
    home.mkdir()
    for name, data in published(CHAT).items():
        (home / name).write_bytes(data)
    (home / "model.safetensors").write_bytes(b"weights")

    found = adhoc.card_of(Reference(kind="path", place=str(home)), tasks(), desk(tmp_path))

    weights = next(file for file in found.card.files if file.name == "model.safetensors")
    assert weights.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert weights.sources == (FileSource(path=str(home / "model.safetensors")),)
    assert found.card.id.startswith("my-model-")
    assert found.sha256 == hashlib.sha256((found.folder / "card.toml").read_bytes()).hexdigest()


def test_other_content_is_another_model(tmp_path: Path) -> None:
    ids = set()
    for weights in (b"one", b"two"):
        home = tmp_path / "model"
        home.mkdir(exist_ok=True)
        for name, data in published(CHAT).items():
            (home / name).write_bytes(data)
        (home / "model.safetensors").write_bytes(weights)
        found = adhoc.card_of(Reference(kind="path", place=str(home)), tasks(), desk(tmp_path))
        ids.add(found.card.id)

    assert len(ids) == 2


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_kept_card_reads_as_it_was_whatever_its_texts_hold(title: str, licence: str) -> None:
    card = catalog.decode(MODEL_CARD.encode(), ModelCard, "tiny")
    hostile = msgspec.structs.replace(card, title=title, licence=licence)

    again = catalog.decode(keeping.text(hostile).encode(), ModelCard, "kept")

    assert again == hostile


def test_the_hubs_own_answer_becomes_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [
        SimpleNamespace(rfilename="config.json", size=7, lfs=None),
        SimpleNamespace(
            rfilename="model.safetensors", size=9, lfs=SimpleNamespace(sha256="a" * 64)
        ),
    ]
    answer = SimpleNamespace(sha=COMMIT, siblings=files, tags=["text", "license:apache-2.0"])
    asked: list[tuple[str, str, bool]] = []

    class Api:
        def model_info(self, repo: str, *, revision: str, files_metadata: bool) -> Any:
            asked.append((repo, revision, files_metadata))
            return answer

    monkeypatch.setattr(hub, "_client", lambda: SimpleNamespace(HfApi=Api))

    found = hub.snapshot("org/name", "main")

    assert asked == [("org/name", "main", True)]
    assert found == Snapshot(
        commit=COMMIT,
        licence="apache-2.0",
        files=(
            HubFile(path="config.json", size_bytes=7),
            HubFile(path="model.safetensors", size_bytes=9, sha256="a" * 64),
        ),
    )


def suite(*entries: Entry) -> Suite:
    return Suite(schema=1, name="toy", tasks=("toy",), entries=entries)


def catalogue() -> Catalog:
    card = catalog.decode(MODEL_CARD.encode(), ModelCard, "tiny")
    return Catalog(tasks=tasks(), models={"tiny": Found(card=card, folder=Path(), sha256="1" * 64)})


def test_named_models_take_the_place_of_the_suites_and_are_asked_like_their_role(
    tmp_path: Path,
) -> None:
    like = suite(
        Entry(models=("nobody",), device="cpu-2t", sample=7),
        Entry(models=("tiny@int8",), device="cpu-1t", sample=3, tasks=("toy",)),
    )
    shop = FakeHub(published(SORTER), ("model.safetensors",))
    names = (f"hub:o/sorter@{COMMIT}", "tiny@fp32")

    changed, wider = adhoc.added(like, catalogue(), names, None, desk(tmp_path, shop))

    assert [entry.models for entry in changed.entries] == [
        ("sorter-01234567@fp32",),
        ("tiny@fp32",),
    ]
    assert {(entry.device, entry.sample) for entry in changed.entries} == {("cpu-1t", 3)}
    cells = plan.cells(changed, wider, cores=2)
    assert [cell.cell.id for cell in cells] == [
        "toy/sorter-01234567@fp32/cpu-1t",
        "toy/tiny@fp32/cpu-1t",
    ]


def test_on_a_machine_without_a_gpu_the_plan_says_so_and_names_the_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steelyard.host.no_cuda", lambda: "no NVIDIA GPU is to be seen")
    shop = FakeHub(published(CHAT), ("model.safetensors",))
    names = (f"hub:o/n@{COMMIT}", "tiny@fp32")

    changed, wider = adhoc.added(
        suite(Entry(models=("tiny",), device="cpu-1t")),
        catalogue(),
        names,
        "cuda",
        desk(tmp_path, shop),
    )

    chat, tiny = plan.cells(changed, wider, cores=2)
    assert (chat.cell.id, chat.processor) == ("toy/n-01234567@bf16/cuda", "cuda")
    assert chat.refusal == "no NVIDIA GPU is to be seen"
    assert tiny.refusal == "backend 'null' runs on the CPU only; put it on a device cpu-..."


@pytest.mark.parametrize(
    ("made", "wanted", "places"),
    [
        (["spam", "HAM"], [("ham", "no spam"), ("spam", "spam")], (1, 0)),
        (["Card_Lost", "card-stolen"], [("x", "card lost"), ("y", "card stolen")], (0, 1)),
        (["a", "b", "c"], [("a",), ("b",)], None),
        (["a", "A"], [("a",), ("b",)], None),
        (["LABEL_0", "LABEL_1"], [("a",), ("b",)], None),
        (["one", "two"], [("one", "two"), ("two",)], None),
    ],
)
def test_labels_match_whatever_their_case_and_dashes_and_only_one_to_one(
    made: list[str], wanted: list[tuple[str, ...]], places: tuple[int, ...] | None
) -> None:
    assert wording.match(made, wanted) == places
