"""Readers of folders of mail, rated snippets and translated interfaces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.one_file import LABELS, read, refusal

from steelyard.api import Label
from steelyard.errors import PrepareError
from steelyard.readers.folders import Folders
from steelyard.readers.gettext import Translation, share_of_letters, shown, translations
from steelyard.readers.languages import Languages
from steelyard.readers.mail import subject_and_body
from steelyard.readers.rated import RatedSnippets

HAM = (Label(id="ham", words="legitimate"), Label(id="spam", words="spam"))
LANGUAGES = (Label(id="de", words="German"), Label(id="en", words="English"))


def mails(root: Path, **bodies: str) -> dict[str, Path]:
    """Write one message a folder."""
    for name, body in bodies.items():
        folder = root / name.replace("_", "-")
        folder.mkdir(parents=True)
        message = f"From: me@there\nSubject: Hello\n\n{body}"
        (folder / "1.json").write_text(json.dumps({"text": message}))
        (folder / "ignored.txt").write_text("not a message")
    return {"mail": root}


MAIL_OPTIONS: dict[str, object] = {
    "suffix": ".json",
    "field": "text",
    "content": "mail",
    "labels": {"early": "ham", "late": "spam", "later": "spam"},
    "train": ["early"],
    "test": ["late", "later"],
    "drop_duplicates": True,
}


def test_folders_give_label_and_part_and_headers_are_left_out(tmp_path: Path) -> None:
    paths = mails(tmp_path, early="see you", late="buy now", later="buy  more")

    items = Folders().read(paths, MAIL_OPTIONS, HAM)  # type: ignore[arg-type]

    assert [(i.id, i.text, i.label, i.fold) for i in items] == [
        ("item-train-0001", "Hello\n\nsee you", "ham", None),
        ("item-test-0001", "Hello\n\nbuy now", "spam", 0),
        ("item-test-0002", "Hello\n\nbuy more", "spam", 0),
    ]


def test_a_later_message_with_an_earlier_body_is_dropped(tmp_path: Path) -> None:
    paths = mails(tmp_path, early="same", late="other", later="same \n")

    items = Folders().read(paths, MAIL_OPTIONS, HAM)  # type: ignore[arg-type]

    assert [item.id for item in items] == ["item-train-0001", "item-test-0001"]


def test_without_a_mapping_a_folder_s_name_is_the_label(tmp_path: Path) -> None:
    for name in ("ham", "spam"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(f"some {name}")

    items = Folders().read({"mail": tmp_path}, {}, HAM)

    assert [(item.text, item.label) for item in items] == [
        ("some ham", "ham"),
        ("some spam", "spam"),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"root": "nowhere"}, "mail: no folder 'nowhere' in it"),
        ({"labels": {"none": "ham"}}, "mail: no folder 'none'; there is early"),
        ({"labels": {"early": "ham"}, "train": []}, "is in train or in test, once"),
        ({"field": "body"}, "mail: early/1.json: no field 'body'; there is 'text'"),
        ({"field": "text", "suffix": ".txt"}, "early/ignored.txt: not JSON"),
    ],
)
def test_folders_that_are_not_as_said_are_refused(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    paths = mails(tmp_path, early="a", late="b", later="c")

    with pytest.raises(PrepareError) as raised:
        Folders().read(paths, {**MAIL_OPTIONS, **options}, HAM)  # type: ignore[dict-item]

    assert said in str(raised.value)


def test_mail_is_decoded_and_html_becomes_its_visible_text() -> None:
    raw = (
        "Subject: =?utf-8?q?Caf=C3=A9?=\nMIME-Version: 1.0\n"
        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
        "<style>p {}</style><p>Gr=C3=BC=C3=9Fe &amp; more</p><script>x()</script>"
    )

    assert subject_and_body(raw) == ("Café", "Grüße & more")


@pytest.mark.parametrize("encoding", ["klingon", '"', "x" * 300])
def test_an_encoding_that_does_not_exist_loses_no_mail(encoding: str) -> None:
    raw = f"Subject: =?{encoding}?q?hi?=\nContent-Type: text/plain; charset={encoding}\n\nbody"

    assert subject_and_body(raw)[1] == "body"


def test_a_message_without_a_text_part_keeps_its_raw_body() -> None:
    raw = "Content-Type: multipart/mixed; boundary=x\n\n<b>no</b> boundary in sight"

    assert subject_and_body(raw) == ("", "no boundary in sight")


RATED: dict[str, object] = {"positive": "earn", "negative": "acq"}


def test_the_sign_of_the_rating_is_the_label_and_zero_is_left_out(tmp_path: Path) -> None:
    content = "1_1\t-0.9\tbad.\r\n1_2\t0\tmeh.\r\n12_1\t2.5\tgood.\r\n"
    items = read(RatedSnippets(), tmp_path / "rated.txt", content, **RATED)

    assert [(i.id, i.text, i.label, i.group) for i in items] == [
        ("item-1_1", "bad.", "acq", "1"),
        ("item-12_1", "good.", "earn", "12"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1_1\t-0.9", "rated.txt:1: 2 columns, expected id, mean rating, text"),
        ("1_1\tgood\tx", "rated.txt:1: rating 'good', expected a number"),
        ("1_1\tnan\tx", "rated.txt:1: rating 'nan', expected a number"),
    ],
)
def test_a_wrong_rating_is_named(tmp_path: Path, content: str, said: str) -> None:
    assert refusal(RatedSnippets(), tmp_path / "rated.txt", content, **RATED) == said


def test_a_missing_ratings_file_is_named(tmp_path: Path) -> None:
    options = {**RATED, "member": "a/b.txt"}

    with pytest.raises(PrepareError, match=r"ratings: no file 'a/b\.txt' in it"):
        RatedSnippets().read({"ratings": tmp_path}, options, LABELS)  # type: ignore[arg-type]


CATALOGUE = """
msgid ""
msgstr "Language: de\\n"

#, python-format
msgctxt "naming"
msgid "Please enter "
"%(name)s."
msgstr "Bitte <b>%(name)s</b> "
"eingeben und weiter."

#, fuzzy
msgid "Guess"
msgstr "Vermutung"

msgid "One"
msgid_plural "Many"
msgstr[0] "Eins"
msgstr[1] "Viele"

#~ msgid "Old"
#~ msgstr "Alt"
"""


def test_a_catalogue_gives_finished_singular_messages() -> None:
    assert list(translations(CATALOGUE, "de.po")) == [
        Translation("Please enter %(name)s.", "Bitte <b>%(name)s</b> eingeben und weiter.")
    ]


def test_a_broken_catalogue_is_named_with_its_line() -> None:
    with pytest.raises(PrepareError, match=r"de\.po:2: not a gettext entry: 'nonsense'"):
        list(translations("\nnonsense\n", "de.po"))


def test_what_is_shown_has_no_markup_and_no_placeholders() -> None:
    assert shown("Bitte <b>%(name)s</b>&nbsp;{x}  %d eingeben.") == "Bitte eingeben."


def test_vowel_signs_count_as_letters() -> None:
    assert share_of_letters("हिन्दी", "हिन्दी %s") == pytest.approx(6 / 8)


def language_files(root: Path) -> tuple[dict[str, Path], dict[str, object]]:
    """Write two tiny declarations and catalogues."""
    for label, text in (("de", "Alle Menschen sind frei."), ("en", "All are born free here.")):
        page = f"<title>T</title><h1>Heading that is long</h1><p>{text} No.</p>"
        (root / f"{label}.html").write_text(page)
        folder = root / "locale" / label / "LC_MESSAGES"
        folder.mkdir(parents=True)
        said = "" if label == "en" else "Bitte erneut anmelden"
        entries = [
            ("Please log in again", said),
            ("Django administration", "Django administration"),
        ]
        body = "\n\n".join(f'msgid "{a}"\nmsgstr "{b}"' for a, b in entries)
        (folder / "django.po").write_text(body)
    names = {"de": "de", "en": "en"}
    options: dict[str, object] = {"train": "t", "test": "t", "udhr": ""}
    return {"t": root}, {**options, "declarations": names, "locales": names}


def test_declarations_train_and_interface_texts_test(tmp_path: Path) -> None:
    paths, options = language_files(tmp_path)

    items = Languages().read(paths, options, LANGUAGES)  # type: ignore[arg-type]

    assert [(i.text, i.label, i.fold) for i in items if i.label == "de"] == [
        ("Alle Menschen sind frei.", "de", None),
        ("Bitte erneut anmelden", "de", 0),
    ]
    assert {i.text for i in items if i.label == "en" and i.fold == 0} == {
        "Please log in again",
        "Django administration",
    }


def test_the_cap_a_language_is_chosen_by_hash(tmp_path: Path) -> None:
    paths, options = language_files(tmp_path)
    capped = {**options, "per_language": 1}

    items = Languages().read(paths, capped, LANGUAGES)  # type: ignore[arg-type]

    assert [item.id for item in items if item.fold == 0] == [
        "item-test-de-0001",
        "item-test-en-0001",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"locales": {"de": "de"}}, "declarations and locales name every label, once"),
        ({"declarations": {"de": "deu", "en": "en"}}, "no declaration 'deu' for label 'de'"),
        ({"locales": {"de": "xx", "en": "en"}}, "no texts for label 'de'"),
    ],
)
def test_languages_that_are_not_there_are_named(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    paths, usual = language_files(tmp_path)

    with pytest.raises(PrepareError) as raised:
        Languages().read(paths, {**usual, **options}, LANGUAGES)  # type: ignore[dict-item]

    assert said in str(raised.value)
