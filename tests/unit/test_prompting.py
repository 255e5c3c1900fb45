from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import prompting
from steelyard.api import Item, Label, RenderedPrompt
from steelyard.card import Prompt
from steelyard.errors import PrepareError
from steelyard.prompting import Candidate, Chat, ScoredItem, Wanted, WrittenCandidate

LABELS = (Label(id="a", words="apple"), Label(id="p", words="pear"))
WANTED = Wanted(labels=LABELS)
PROMPT = Prompt(
    paraphrases=("Pick one of: {labels}.\n\nText: {text}\nFruit:", "{labels}? {text}"),
    max_chars=10,
)
CHAT = Chat(opening="<s>", user=("<u>", "</u>"), assistant=("<a>", "</a>"))


def item(name: str, label: str) -> Item:
    return Item(id=name, text=f"text of {name}", label=label)


def candidate(
    rows: list[tuple[str, tuple[float, float]]], neutral: tuple[float, float]
) -> Candidate:
    prompt = RenderedPrompt(prefix="", suffix="", answers=("apple", "pear"), max_chars=10)
    items = tuple(ScoredItem(expected=label, log_likelihoods=sums) for label, sums in rows)
    return Candidate(paraphrase=0, prompt=prompt, items=items, neutral=(neutral,), lengths=(1, 2))


def test_a_prompt_without_examples_is_one_turn() -> None:
    first, second = prompting.render(PROMPT, WANTED, CHAT, ())

    assert first.prefix == "<s><u>Pick one of: apple, pear.\n\nText: "
    assert first.suffix == "\nFruit:</u><a>"
    assert second.prefix == "<s><u>apple, pear? "
    assert first.answers == ("apple", "pear")


def test_examples_are_earlier_turns_and_only_the_first_says_the_instruction() -> None:
    first, _ = prompting.render(PROMPT, WANTED, CHAT, (item("x", "p"), item("y", "a")))

    assert first.prefix == (
        "<s><u>Pick one of: apple, pear.\n\nText: text of x\nFruit:</u><a>pear</a>"
        "<u>Text: text of y\nFruit:</u><a>apple</a><u>Text: "
    )


def test_a_written_answer_scores_no_words_and_its_examples_are_written_as_asked() -> None:
    shot = Item(id="x", text="an apple a day", label='[[3,8,"a"]]')

    first, _ = prompting.render(PROMPT, Wanted(labels=LABELS, kind="spans"), CHAT, (shot,))

    # The text is cut to 10 characters, as it will be; the example says what stands in all of it.
    assert first.prefix == (
        "<s><u>Pick one of: apple, pear.\n\nText: an apple a\nFruit:</u><a>apple: apple</a>"
        "<u>Text: "
    )
    assert first.answers == ()


def test_a_task_without_labels_has_a_prompt_of_text_alone() -> None:
    prompt = Prompt(paraphrases=("Continue.\n\nHours: {text}\nNext:", "{text} and?"), max_chars=9)
    shot = Item(id="x", text="1 2", label="[3.0]")
    wanted = Wanted(labels=(), kind="numbers")

    first, second = prompting.render(prompt, wanted, CHAT, (shot,))

    assert first.prefix == ("<s><u>Continue.\n\nHours: 1 2\nNext:</u><a>3</a><u>Hours: ")
    assert first.suffix == "\nNext:</u><a>"
    assert (second.prefix, second.suffix) == ("<s><u>1 2 and?</u><a>3</a><u>", " and?</u><a>")


def written(place: int, score: float, unreadable: int = 0) -> WrittenCandidate:
    prompt = RenderedPrompt(prefix=f"p{place}", suffix="s", answers=(), max_chars=10)
    return WrittenCandidate(
        paraphrase=place, prompt=prompt, score=score, n=5, unreadable=unreadable
    )


def test_of_written_answers_the_best_score_is_chosen_and_said_to_be_one() -> None:
    tried = [written(0, 0.2), written(1, 0.6, unreadable=1), written(2, 0.6)]

    choice = prompting.choose_written(tried, "f1", 4, higher_is_better=True)

    assert (choice.paraphrase, choice.accuracy, choice.metric) == (1, 0.6, "f1")
    assert (choice.n, choice.unreadable, choice.shots) == (5, 1, 4)
    assert (choice.normalisation, choice.calibration, choice.priors) == (None, "none", ())
    assert choice.candidates == (
        ("paraphrase 1, written", 0.2),
        ("paraphrase 2, written", 0.6),
        ("paraphrase 3, written", 0.6),
    )


def test_of_errors_the_smallest_is_chosen() -> None:
    choice = prompting.choose_written(
        [written(0, 2.5), written(1, 0.9)], "mase", 0, higher_is_better=False
    )

    assert (choice.paraphrase, choice.accuracy) == (1, 0.9)


def test_a_chosen_prompt_is_answered_as_it_was_tried() -> None:
    choice = prompting.choose_written([written(0, 1.0)], "f1", 0, higher_is_better=True)
    scored = prompting.choose([candidate([("a", (-1.0, -9.0))], (-5.0, -5.0))], LABELS, shots=0)

    assert prompting.chosen_prompt(choice, LABELS).answers == ()
    assert prompting.chosen_prompt(scored, LABELS).answers == ("apple", "pear")


def test_examples_cover_the_labels_first() -> None:
    pool = [item(f"a{i}", "a") for i in range(9)] + [item("p0", "p")]

    drawn = prompting.draw_shots(pool, 2, seed=3)

    assert {shot.label for shot in drawn} == {"a", "p"}
    assert drawn == prompting.draw_shots(list(reversed(pool)), 2, seed=3)


def test_more_examples_than_items_is_an_error() -> None:
    with pytest.raises(PrepareError, match="3 examples were asked for, the train items have 1"):
        prompting.draw_shots([item("x", "a")], 3, seed=0)


def test_calibration_is_chosen_where_it_is_right_more_often() -> None:
    # The model always prefers the second label; only the difference to the prior tells.
    rows = [("a", (-3.0, -2.0)), ("p", (-5.0, -1.0)), ("a", (-3.1, -2.2))]

    choice = prompting.choose([candidate(rows, neutral=(-4.0, -1.5))], LABELS, shots=0)

    assert (choice.normalisation, choice.calibration) == ("sum", "neutral")
    assert (choice.accuracy, choice.n) == (1.0, 3)
    assert choice.priors == (-4.0, -1.5)
    assert len(choice.candidates) == 6


def test_priors_of_train_items_help_where_contentless_inputs_mislead() -> None:
    # Every text leans to the second label; contentless inputs lean to the first.
    rows = [("a", (-3.0, -2.0)), ("p", (-5.0, -1.0)), ("a", (-3.2, -2.0)), ("p", (-5.0, -1.2))]

    choice = prompting.choose([candidate(rows, neutral=(-1.0, -4.0))], LABELS, shots=0)

    assert (choice.calibration, choice.accuracy) == ("train", 1.0)
    assert choice.priors == pytest.approx((-4.05, -1.55))


def test_a_tie_goes_to_the_plain_prompt() -> None:
    rows = [("a", (-1.0, -9.0)), ("p", (-9.0, -1.0))]

    choice = prompting.choose([candidate(rows, neutral=(-5.0, -5.0))], LABELS, shots=0)

    assert (choice.normalisation, choice.calibration, choice.priors) == ("sum", "none", ())


@given(
    sums=st.lists(st.floats(-50, 0), min_size=1, max_size=6),
    data=st.data(),
)
def test_normalised_scores_follow_their_definition(sums: list[float], data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 9), min_size=len(sums), max_size=len(sums)))

    means = prompting.normalised(sums, lengths, "mean", ())
    shifted = prompting.normalised(sums, lengths, "sum", sums)

    assert means == tuple(s / n for s, n in zip(sums, lengths, strict=True))
    assert set(shifted) == {0.0}
