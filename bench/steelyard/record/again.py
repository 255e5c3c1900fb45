"""The same questions again."""

from __future__ import annotations

from steelyard.record.base import Recorded


class Reworded(Recorded, frozen=True, kw_only=True):
    """What became of answers when the question was put in another of the card's paraphrases.

    `paraphrase` counts from 0, as in PromptChoice. Of the items asked again, `flips` got another
    label than under the chosen prompt, and `correct` the right one.
    """

    paraphrase: int
    flips: int
    correct: int


class Dependability(Recorded, frozen=True, kw_only=True):
    """The same questions again, as counts over `n` of the test items.

    `correct` were right when first asked, in the accuracy pass. `repeats_differ` got another label
    when asked once more the same way, in a fresh process. `flipped` got another label under at
    least one paraphrase; None where the model is asked in no words, and `no_paraphrases` says why.
    Other paraphrases are calibrated anew, by the chosen method, on the items it was chosen on.
    Of all `answers`, first ones included, `outside` named no label of the task; `label_scored` is
    whether the model could only be asked for one of them: then 0 is by construction.
    """

    n: int
    correct: int
    repeats_differ: int
    answers: int
    outside: int
    label_scored: bool
    flipped: int | None = None
    reworded: tuple[Reworded, ...] = ()
    no_paraphrases: str | None = None
