from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.builders import cell, header, record

from steelyard import store
from steelyard.errors import StoreError
from steelyard.record import SCHEMA, Measurement, Prediction, Record
from steelyard.record_file import decode_run, encode
from steelyard.store import JOURNAL, Journal


def journal_of(folder: Path, count: int) -> Journal:
    journal = Journal.start(folder, header())
    for index in range(count):
        journal = journal.append(record(cell=cell(task=f"task-{index}")))
    return journal


def test_a_resumed_journal_has_what_was_appended(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, 3)

    assert Journal.resume(tmp_path).records == journal.records
    assert Journal.resume(tmp_path).finished() == {f"task-{i}/tiny@int8/cpu-1t" for i in range(3)}


@pytest.fixture(scope="session")
def whole_journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    journal_of(folder, 3)
    return (folder / JOURNAL).read_bytes()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_journal_cut_anywhere_keeps_every_whole_line(
    tmp_path: Path, whole_journal: bytes, data: st.DataObject
) -> None:
    first = whole_journal.index(b"\n") + 1
    cut = data.draw(st.integers(first, len(whole_journal)))
    (tmp_path / JOURNAL).write_bytes(whole_journal[:cut])

    resumed = Journal.resume(tmp_path)

    assert len(resumed.records) == whole_journal[:cut].count(b"\n") - 1
    assert Journal.resume(tmp_path).append(record()).records[-1] == record()


def test_damage_in_the_middle_is_an_error(tmp_path: Path) -> None:
    journal_of(tmp_path, 2)
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes().replace(b"task-0", b"task-9", 1))

    with pytest.raises(StoreError, match="line 2 is damaged"):
        Journal.resume(tmp_path)


def test_a_folder_with_a_run_is_not_started_over(tmp_path: Path) -> None:
    journal_of(tmp_path, 1)

    with pytest.raises(StoreError, match="holds a run already"):
        Journal.start(tmp_path, header())


def test_a_journal_of_another_schema_is_refused(tmp_path: Path) -> None:
    Journal.start(tmp_path, header(schema=99))

    with pytest.raises(StoreError, match="schema 99, this steelyard reads 1 to 2"):
        Journal.resume(tmp_path)


def test_a_closed_run_is_one_file_a_device(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path, header())
    journal = journal.append(record())
    journal = journal.append(record(cell=cell(device="cpu-2t")))

    paths = journal.close()

    assert [path.name for path in paths] == ["cpu-1t.json", "cpu-2t.json"]
    runs = store.read_runs(tmp_path)
    assert [run.device for run in runs] == ["cpu-1t", "cpu-2t"]
    assert [len(run.records) for run in runs] == [1, 1]
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"schema": 1}', b'{"schema": 7}'])
def test_a_run_file_that_is_none_is_refused_with_its_name(data: bytes) -> None:
    with pytest.raises(StoreError, match=r"^some\.json: "):
        decode_run(data, "some.json")


def test_a_journal_of_the_first_schema_is_read_and_not_continued(tmp_path: Path) -> None:
    Journal.start(tmp_path, header(schema=1)).append(record())

    assert len(Journal.read(tmp_path).records) == 1
    with pytest.raises(StoreError, match="older steelyard; leave --resume out"):
        Journal.resume(tmp_path)


def test_a_run_file_of_the_first_schema_is_still_read() -> None:
    path = Path(__file__).parents[1] / "fixtures/records/schema-1.json"

    run = decode_run(path.read_bytes(), str(path))

    measured = run.records[0].measurement("latency_end_to_end")
    assert run.schema == SCHEMA
    assert measured is not None
    assert measured.values[:2] == (451660, 333857)
    assert decode_run(encode(run), "anew") == run


def test_many_integers_are_packed_and_come_back_as_they_were() -> None:
    samples = tuple(range(10**9, 10**9 + 3000, 3))
    measured = Measurement(
        quantity="latency_infer", unit="ns", method="counter", scope="call", values=samples
    )
    kept = record(measurements=(measured,))

    written = encode(kept)

    assert b"packed" in written
    assert len(written) < len(msgspec.json.encode(kept)) / 3
    assert msgspec.json.decode(written, type=Record) == kept


@pytest.mark.parametrize(
    "packed", ['"packed":"p.40.1.0.AAAA"', '"packed":"x"', '"packed":"p.0.0.0.eJw=","values":[1]']
)
def test_damaged_samples_are_refused(packed: str) -> None:
    text = f'{{"method":"counter","quantity":"q","scope":"call","unit":"ns",{packed}}}'

    with pytest.raises(msgspec.ValidationError, match="packed"):
        msgspec.json.decode(text, type=Measurement)


def test_an_unfinished_run_shows_what_is_finished_and_is_left_as_it_is(tmp_path: Path) -> None:
    journal_of(tmp_path, 2)
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes()[:-3])
    before = path.read_bytes()

    (run,) = store.read_runs(tmp_path)

    assert [record.cell.task for record in run.records] == ["task-0"]
    assert path.read_bytes() == before


def test_predictions_come_back_as_they_went(tmp_path: Path) -> None:
    kept = (
        Prediction(id="1", expected="a", answer="b"),
        Prediction(id="2", expected="a", answer="a", scores=(0.5, 1.5)),
    )

    digest = store.write_predictions(tmp_path, kept)

    assert store.read_predictions(tmp_path, digest) == kept


def test_changed_predictions_are_noticed(tmp_path: Path) -> None:
    digest = store.write_predictions(tmp_path, [Prediction(id="1", expected="a", answer="b")])
    other = store.write_predictions(tmp_path, [Prediction(id="1", expected="a", answer="a")])
    folder = tmp_path / "predictions"
    (folder / f"{other}.jsonl.gz").rename(folder / f"{digest}.jsonl.gz")

    with pytest.raises(StoreError, match="not those that were recorded"):
        store.read_predictions(tmp_path, digest)


def test_truncated_predictions_are_noticed(tmp_path: Path) -> None:
    digest = store.write_predictions(tmp_path, [Prediction(id="1", expected="a", answer="b")])
    path = tmp_path / "predictions" / f"{digest}.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises(StoreError, match="cannot be read"):
        store.read_predictions(tmp_path, digest)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")

    with pytest.raises(StoreError, match=r"cannot keep results: .*--output"):
        Journal.start(blocker / "run", header())


def test_the_newest_run_of_a_suite_is_found(tmp_path: Path) -> None:
    for name in ("20260101T000000Z-toy", "20260301T000000Z-toy", "20260401T000000Z-other"):
        Journal.start(tmp_path / name, header(run=name))

    assert store.latest_run(tmp_path, "toy").name == "20260301T000000Z-toy"
    assert store.latest_run(tmp_path).name == "20260401T000000Z-other"
    with pytest.raises(StoreError, match="no run of suite none yet"):
        store.latest_run(tmp_path, "none")


def test_a_failed_or_empty_run_is_not_shown_in_place_of_one_with_answers(tmp_path: Path) -> None:
    answered = Journal.start(tmp_path / "20260101T000000Z-toy", header())
    answered.append(record())
    failed = Journal.start(tmp_path / "20260201T000000Z-toy", header())
    failed.append(record(outcome="failed", reason="no room"))
    (tmp_path / "20260301T000000Z-toy").mkdir()
    (tmp_path / "20260301T000000Z-toy" / store.JOURNAL).touch()

    assert store.latest_answered(tmp_path) == answered.folder


def test_where_no_run_has_answers_the_newest_is_shown(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no run yet"):
        store.latest_answered(tmp_path)
    for name in ("20260101T000000Z-toy", "20260201T000000Z-toy"):
        Journal.start(tmp_path / name, header(run=name))

    assert store.latest_answered(tmp_path).name == "20260201T000000Z-toy"


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "empty"), (b" \n", "empty"), (b'{"schema": 2, "ru', "damaged")]
)
def test_an_empty_or_cut_run_file_is_called_so(data: bytes, said: str) -> None:
    with pytest.raises(StoreError, match=rf"^some\.json: {said}"):
        decode_run(data, "some.json")


@given(values=st.lists(st.integers(0, 2**62), min_size=1).map(tuple))
def test_raw_samples_survive_the_json(values: tuple[int, ...]) -> None:
    kept = Measurement(
        quantity="latency_infer", unit="ns", values=values, method="counter", scope="call"
    )

    decoded = msgspec.json.decode(encode(kept), type=Measurement)

    assert decoded == kept
