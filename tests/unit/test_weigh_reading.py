"""A person's file, whatever it holds: rows, or one line that says what is wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import SteelyardError
from steelyard.progress import Silent
from steelyard.weigh import decoding, delimited, rows, sources
from steelyard.weigh.rows import Cells, Columns, Raw, Unreadable

COLUMNS = Columns(text="message", label="team")
Reads = Callable[..., list[Raw]]


@pytest.fixture
def read(tmp_path: Path) -> Reads:
    def reading(
        data: bytes, suffix: str = ".csv", encoding: str | None = None, columns: Columns = COLUMNS
    ) -> list[Raw]:
        path = tmp_path / f"data{suffix}"
        path.write_bytes(data)
        source = sources.source(path, None, encoding)
        return list(sources.rows(source, columns, Silent()))

    return reading


def pairs(found: list[Raw]) -> list[tuple[str | None, str | None]]:
    assert all(isinstance(row, Cells) for row in found), found
    return [(row.text, row.label) for row in found if isinstance(row, Cells)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_yields_the_columns(read: Reads, delimiter: str) -> None:
    header = delimiter.join(["id", "message", "team"])
    row = delimiter.join(["1", '"a; b, c\td | e"', "billing"])

    assert pairs(read(f"{header}\n{row}\n".encode())) == [("a; b, c\td | e", "billing")]


def test_a_quoted_cell_may_hold_quotes_and_line_ends(read: Reads) -> None:
    found = read(b'message,team\r\n"He said ""no"",\r\ntwice",access\r\nnext,billing\r\n')

    assert pairs(found) == [('He said "no",\r\ntwice', "access"), ("next", "billing")]
    assert [row.line for row in found] == [2, 4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(read: Reads, encoding: str) -> None:
    assert pairs(read("message,team\nGrüße,büro\n".encode(encoding))) == [("Grüße", "büro")]


def test_latin_1_is_read_where_it_is_said_and_refused_by_its_line_where_not(read: Reads) -> None:
    data = "message,team\nhello,a\nGrüße,b\n".encode("latin-1")

    assert pairs(read(data, encoding="latin-1"))[1] == ("Grüße", "b")
    with pytest.raises(SteelyardError, match=r"data\.csv:3: byte 0xfc is not UTF-8.*--encoding"):
        read(data)


def test_a_wrong_byte_far_into_the_file_is_named_by_its_line(read: Reads) -> None:
    data = b"message,team\n" + b"some words to fill a line,a\n" * 100_000 + b"\xff,b\n"

    with pytest.raises(SteelyardError, match=r"data\.csv:100002: byte 0xff"):
        read(data)


def test_zero_bytes_are_no_text(read: Reads) -> None:
    with pytest.raises(SteelyardError, match="UTF-16 without its mark"):
        read("message,team\nx,y\n".encode("utf-16-le"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b" \r\n\n", "the file is empty"),
        (b"\xef\xbb\xbf\n", "the file is empty"),
        (b"PK\x03\x04....", "Excel workbook"),
        (b"\x1f\x8b\x08....", "unpack it first"),
        (b"PAR1....", r"name it \.parquet"),
        (b"text,team\nx,y\n", "no column 'message'; it has 'text', 'team'"),
        (b"Message,team\nx,y\n", "did you mean 'Message'"),
        (b"message,team,team\nx,y,z\n", "column 'team' stands twice"),
        (b'message,team\n"never closed,a\nx,b\n', r"data\.csv:2: a quote is opened here"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_in_one_line(
    read: Reads, data: bytes, said: str
) -> None:
    with pytest.raises(SteelyardError, match=said) as caught:
        read(data)

    assert "\n" not in str(caught.value)


def test_a_file_without_header_does_not_show_a_person_s_words(read: Reads) -> None:
    with pytest.raises(SteelyardError) as caught:
        read(b"My doctor says that I am ill,access\nx,y\n")

    assert "doctor" not in str(caught.value)
    assert "a header is needed" in str(caught.value)


def test_an_excel_line_that_says_the_delimiter_is_obeyed(read: Reads) -> None:
    assert pairs(read(b"sep=;\r\nmessage;team\r\na,b;c\r\n")) == [("a,b", "c")]


def test_line_ends_of_an_old_mac_are_line_ends(read: Reads) -> None:
    assert pairs(read(b"message,team\ra,b\rc,d\r")) == [("a", "b"), ("c", "d")]


def test_a_row_of_another_width_and_broken_quotes_count_by_line(read: Reads) -> None:
    found = read(b'message,team\nx\ngood,a\n"b"c,d\n1,2,3\n\n')

    assert [row.reason for row in found if isinstance(row, Unreadable)] == [
        "fewer cells than the header",
        "quotes are broken",
        "more cells than the header",
    ]


def test_what_an_open_quote_swallowed_is_counted_whole(read: Reads) -> None:
    found = read(b'message,team\n"open,a\nx,a\ny,"b"\nz,b\n')

    (bad,) = [row for row in found if isinstance(row, Unreadable)]
    assert (bad.line, bad.lines) == (2, 3)


def test_a_huge_cell_is_refused_and_not_held(read: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    before = csv.field_size_limit()
    monkeypatch.setattr("steelyard.weigh.delimited.MAX_CELL", 1000)

    with pytest.raises(SteelyardError, match=r"data\.csv:2: a cell of more than 1,000"):
        read(b'message,team\n"' + b"x\n" * 1000 + b'",a\n')
    assert csv.field_size_limit() == before


def test_a_line_without_end_is_refused(read: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steelyard.weigh.decoding.MAX_CELL", 1000)

    with pytest.raises(SteelyardError, match="a line of more than 1,000 characters"):
        read(b'{"message": "' + b"x" * 3000)


def test_json_lines_give_text_numbers_and_truth_as_labels(read: Reads) -> None:
    lines = [
        {"message": "a", "team": 1},
        {"message": "b", "team": 2.0},
        {"message": "c", "team": True},
        {"message": "d", "team": None},
        {"message": "e"},
    ]
    data = "\n".join(map(json.dumps, lines)).encode()

    assert [label for _, label in pairs(read(data, ".jsonl"))] == ["1", "2", "true", None, None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "no JSON object"),
        ("{", "no JSON object"),
        ('{"message": ["x"], "team": "a"}', "a cell is a list or an object"),
        ('{"message": "\\ud800", "team": "a"}', "no JSON object"),
        ("[" * 100_000, "no JSON object"),
    ],
)
def test_a_line_that_is_no_row_is_counted(read: Reads, line: str, reason: str) -> None:
    found = read(f'{{"message": "x", "team": "a"}}\n{line}\n'.encode(), ".jsonl")

    assert [row.reason for row in found if isinstance(row, Unreadable)] == [reason]


def test_a_json_list_and_missing_fields_are_refused(read: Reads) -> None:
    with pytest.raises(SteelyardError, match="one object a line"):
        read(b'[{"message": "x", "team": "a"}]', ".jsonl")
    with pytest.raises(SteelyardError, match="no column 'message'"):
        read(b'{"body": "x", "folder": "a"}', ".jsonl")


def test_parquet_is_read_in_its_order(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    # A name that DuckDB would take for a pattern, and a column that would break an SQL statement.
    path = tmp_path / "we[ir]d*.parquet"
    plain = tmp_path / "plain.parquet"
    duckdb.sql(
        'SELECT \'text \' || i AS "mess""age", i % 2 = 0 AS team, '
        "DATE '2026-01-01' + i::INT AS sent FROM range(5000) r(i)"
    ).write_parquet(str(plain))
    plain.rename(path)
    columns = Columns(text='mess"age', label="team", time="sent")

    found = list(sources.rows(sources.source(path, None, None), columns, Silent()))

    assert len(found) == 5000
    assert found[3] == Cells(line=4, text="text 3", label="false", time="2026-01-04")


def test_a_damaged_parquet_file_is_refused_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 and then nothing")

    with pytest.raises(SteelyardError, match=r"x\.parquet: no Parquet file"):
        list(sources.rows(sources.source(path, None, None), COLUMNS, Silent()))


def test_a_parquet_file_without_the_column_says_what_it_has(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "x.parquet"
    duckdb.sql("SELECT 1 AS body, 2 AS folder").write_parquet(str(path))

    with pytest.raises(SteelyardError, match="it has 'body', 'folder'"):
        list(sources.rows(sources.source(path, None, None), COLUMNS, Silent()))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path, said in [
        (tmp_path, "is a folder"),
        (tmp_path / "nowhere.csv", "no such file"),
        (tmp_path / "no\x1b[31mwhere.csv", r"no\\x1b\[31mwhere"),
    ]:
        with pytest.raises(SteelyardError, match=said) as caught:
            sources.source(path, None, None)
        assert caught.value.exit_code == 2
        assert "\x1b" not in str(caught.value)


def test_an_unknown_extension_asks_for_the_format(tmp_path: Path) -> None:
    (tmp_path / "data.xyz").write_text("message,team\na,b\n")

    with pytest.raises(SteelyardError, match="Say --format"):
        sources.source(tmp_path / "data.xyz", None, None)
    assert sources.source(tmp_path / "data.xyz", "csv", None).format == "csv"


def test_the_standard_input_is_read_as_csv_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        buffer = io.BytesIO(b"message,team\nx,y\n")

    monkeypatch.setattr("sys.stdin", Fake())

    found = list(sources.rows(sources.source(Path("-"), None, None), COLUMNS, Silent()))

    assert pairs(found) == [("x", "y")]
    with pytest.raises(SteelyardError, match="from a file only"):
        sources.source(Path("-"), "parquet", None)


@pytest.mark.parametrize("name", ["latin-99", "base64", "rot13", "a\0b", "ü"])
def test_an_encoding_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(SteelyardError, match="no text encoding"):
        decoding.check_encoding(name)


@given(
    cells=st.lists(
        st.tuples(
            st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")),
            st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")),
        ),
        min_size=1,
    ),
    delimiter=st.sampled_from(",;\t|"),
)
def test_what_the_csv_module_writes_is_read_back(
    cells: list[tuple[str, str]], delimiter: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["message", "team"])
    writer.writerows(cells)
    stream = io.BytesIO(out.getvalue().encode())
    lines = decoding.lines(stream, None, "x", lambda _: None)

    assert pairs(list(delimited.rows(lines, COLUMNS, "x"))) == cells


@given(st.binary(max_size=400))
def test_any_bytes_end_in_rows_or_in_one_line(data: bytes) -> None:
    for reading in (delimited.rows, sources._objects):
        lines = decoding.lines(io.BytesIO(data), None, "x", lambda _: None)
        try:
            list(reading(lines, COLUMNS, "x"))
        except SteelyardError as error:
            assert "\n" not in str(error)  # noqa: PT017 - only where it is refused


def test_a_number_without_fraction_is_the_same_label_in_any_file() -> None:
    assert [rows.written(x) for x in (3, 3.0, 2.5, False, "3")] == ["3", "3", "2.5", "false", "3"]
