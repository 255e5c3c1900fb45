"""Readers of annotated log lines, of product pairs in prompts, and of source files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.fail2ban import Fail2banLogs
from steelyard.readers.products import ProductPairs
from steelyard.readers.sources import SourceFiles, SourceOptions, _stretch

LINES = (Label(id="attack", words="attack"), Label(id="ordinary", words="ordinary event"))
PAIRS = (Label(id="match", words="the same"), Label(id="other", words="others"))
CODE = (Label(id="c", words="C"), Label(id="cmake", words="CMake"))
LOG_OPTIONS: dict[str, Option] = {
    "match": "attack",
    "other": "ordinary",
    "drop_duplicates": True,
    "prefix": "log",
}


def logs(root: Path, **samples: str) -> list[Item]:
    """Write one file a service and read them."""
    for name, text in samples.items():
        (root / name.replace("_", "-")).write_text(text)
    options: dict[str, Option] = {**LOG_OPTIONS, "families": {"selinux-ssh": "sshd"}}
    return Fail2banLogs().read({"logs": root}, options, LINES)


def test_a_line_has_the_annotation_above_it_and_its_service_s_program(tmp_path: Path) -> None:
    items = logs(
        tmp_path,
        apache_auth=(
            "# a comment\n"
            '# failJSON: { "time": "2005-01-18T00:00:00", "match": true , "host": "1.2.3.4" } \n'
            "user not found: /\n\nnot annotated\n"
        ),
        selinux_ssh='#failJSON: { "match": false }\n# why\n  session opened  \n',
    )

    assert [(i.id, i.text, i.label, i.group) for i in items] == [
        ("log-apache-auth-3", "user not found: /", "attack", "apache"),
        ("log-selinux-ssh-3", "session opened", "ordinary", "sshd"),
    ]


def test_a_line_with_two_answers_is_left_out_and_one_that_repeats_is_kept_once(
    tmp_path: Path,
) -> None:
    true, false = '# failJSON: {"match": true}\n', '# failJSON: {"match": false}\n'

    items = logs(tmp_path, a=f"{true}both\n{true}same\n", b=f"{false}both\n{true}same\n")

    assert [(item.id, item.text) for item in items] == [("log-a-4", "same")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('# failJSON: {"match": 1}\nline\n', r"sshd:1: annotation .*Expected `bool`"),
        ('# failJSON: {"match": true}\n', "sshd: the last annotation has no line"),
    ],
)
def test_annotations_that_say_nothing_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PrepareError, match=said):
        logs(tmp_path, sshd=text)


def sample(content: str, ideal: str = "Yes") -> bytes:
    return msgspec.json.encode({"input": [{"role": "user", "content": content}], "ideal": ideal})


def asked(one: str, two: str) -> str:
    return f"Do they refer to one?\nProduct 1: 'Title: {one}'\nProduct 2: 'Title: {two}'"


def solved(one: str, two: str) -> str:
    return f"Product 1: 'Title: {one}' Product 2: 'Title: {two}'"


def products(root: Path, train: list[bytes], test: list[bytes]) -> list[Item]:
    for name, lines in (("few", train), ("zero", test)):
        (root / name).write_bytes(b"\n".join(lines))
    options = {"train": "few", "test": "zero", "match": "match", "other": "other"}
    return ProductPairs().read({n: root / n for n in ("few", "zero")}, options, PAIRS)


def test_solved_pairs_train_and_asked_pairs_test(tmp_path: Path) -> None:
    prompt = "\n".join(
        [
            "Given:",
            "Matching:",
            solved("it's A", "a"),
            "Non-matching:",
            solved("a", "b"),
            asked("x", "y"),
        ]
    )
    again = "\n".join(["Matching:", solved("a", "it's A"), asked("x", "z")])

    items = products(tmp_path, [sample(prompt), sample(again)], [sample(asked("x", "y"), "No")])

    assert [(i.text, i.label, i.fold) for i in items] == [
        ("it's A\na", "match", None),
        ("a\nb", "other", None),
        ("x\ny", "other", 0),
    ]


def test_a_pair_with_two_answers_or_on_both_sides_is_refused(tmp_path: Path) -> None:
    both = sample("\n".join(["Matching:", solved("a", "b"), "Non-matching:", solved("b", "a")]))
    matching = sample("\n".join(["Matching:", solved("a", "b")]))

    with pytest.raises(PrepareError, match="few:1: another answer than at few:1"):
        products(tmp_path, [both], [sample(asked("x", "y"))])
    with pytest.raises(PrepareError, match="zero:1: a pair that few:1 solves"):
        products(tmp_path, [matching], [sample(asked("b", "a"))])
    with pytest.raises(PrepareError, match="zero:1: no pair with an answer of Yes or No"):
        products(tmp_path, [matching], [sample(asked("x", "y"), "Maybe")])


ENDINGS = {".c": "c", ".cmake": "cmake", "CMakeLists.txt": "cmake"}


def sources(root: Path, files: dict[str, str | bytes], **options: int) -> list[Item]:
    """Write files below `project/...` and read them."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    given = {"endings": ENDINGS, "min_chars": 5, "max_chars": 20, "prefix": "s", **options}
    paths = {path.name: path for path in root.iterdir()}
    return SourceFiles().read(paths, given, CODE)  # type: ignore[arg-type]


def test_a_file_s_ending_is_its_label_and_its_archive_its_group(tmp_path: Path) -> None:
    items = sources(
        tmp_path,
        {
            "one/src/a.c": "int a(void);",
            "one/CMakeLists.txt": "project(a)",
            "two/b.c": "int b(void);",
            "two/readme.txt": "not asked for",
            "two/latin.c": b"\xff\xfe caf\xe9",
            "two/machine.c": "x" * 500,
            "two/again.c": "int  a(void);",
            "two/short.c": "a",
        },
    )

    assert [(i.id, i.label, i.group) for i in items] == [
        ("s-one/CMakeLists.txt", "cmake", "one"),
        ("s-one/src/a.c", "c", "one"),
        ("s-two/b.c", "c", "two"),
    ]


def test_items_are_spread_over_the_projects_that_have_them(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"big/{n}.c": f"int big_{n};" for n in range(9)}
    files |= {f"small/{n}.c": f"int small_{n};" for n in range(2)}

    items = sources(tmp_path, files, per_group=5, per_label=6)

    assert sorted(item.group or "" for item in items) == ["big"] * 4 + ["small"] * 2


@given(st.lists(st.text("ab {};\n", max_size=12), min_size=1, max_size=20), st.text("xyz"))
def test_a_stretch_is_whole_lines_of_its_file_within_the_bounds(
    lines: list[str], where: str
) -> None:
    how = SourceOptions(endings=ENDINGS, min_chars=8, max_chars=30)
    whole = "\n".join(lines)

    found = _stretch(whole.encode(), where, how)

    if found is not None:
        assert how.min_chars <= len(found.strip())
        assert len(found) <= how.max_chars
        assert f"\n{found}" in f"\n{whole}"
