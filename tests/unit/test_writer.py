from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from steelyard.api import Answer, GeneratorSession, Label, RenderedPrompt, SessionSpec
from steelyard.card import AnswerKind
from steelyard.errors import WorkerError

pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from steelyard.backends.ort.decoder import Network
from steelyard.backends.ort.generation import AT_ONCE, Cache, greedy
from steelyard.backends.ort.writer import LOOP, WriterSession

TYPES = (Label(id="PERSON", words="name"), Label(id="CITY", words="city"))
PROMPT = RenderedPrompt(
    prefix="<|im_start|>user\nList name, city.\n\nText: ",
    suffix="<|im_end|>\n<|im_start|>bot\n",
    answers=(),
    max_chars=400,
)
TEXT = "Ann met Bo in Rome."


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(["name: city: Ann Bo Rome\n1, 2, 3"] * 9, trainer)
    return made


class Scripted:
    """A network that writes what it is given, and then ends the turn again and again."""

    runs_on = ("a script",)

    def __init__(self, script: list[int], size: int, prompt: int) -> None:
        self.script = script
        self.size = size
        self.prompt = prompt
        self.run: list[int] = []

    def empty(self) -> Cache:
        return (np.zeros((1, 1, 0, 1), dtype=np.float32),)

    def extend(self, cache: Cache, tokens: NDArray[np.int64]) -> tuple[NDArray[np.float32], Cache]:
        self.run.append(len(tokens))
        held = np.concatenate(
            [cache[0], np.asarray(tokens, np.float32)[None, None, :, None]], axis=2
        )
        place = held.shape[2] - self.prompt
        token = self.script[min(place, len(self.script) - 1)] if place >= 0 else 0
        return np.eye(self.size, dtype=np.float32)[[token]], (held,)


def session(
    tokenizer: Tokenizer, folder: Path, said: str, kind: AnswerKind = "spans", limit: int = 99
) -> tuple[WriterSession, Scripted]:
    (folder / "chat.json").write_text('{"assistant":["<|im_start|>bot\\n","<|im_end|>\\n"]}')
    whole = tokenizer.encode(PROMPT.prefix + TEXT + PROMPT.suffix, add_special_tokens=False).ids
    script = [*tokenizer.encode(said).ids, tokenizer.token_to_id("<|im_end|>")]
    network = Scripted(script, tokenizer.get_vocab_size(), len(whole))
    spec = SessionSpec(
        artifact=str(folder),
        session="writer",
        threads=1,
        labels=TYPES,
        options={"max_new_tokens": limit},
        prompt=PROMPT,
        answers=kind,
    )
    return WriterSession(cast("Network", network), tokenizer, spec), network


def answered(tokenizer: Tokenizer, folder: Path, said: str, kind: AnswerKind = "spans") -> Answer:
    opened, _ = session(tokenizer, folder, said, kind)
    return opened.decode(opened.infer(opened.encode(TEXT)))


def test_spans_are_read_from_lines(tokenizer: Tokenizer, tmp_path: Path) -> None:
    answer = answered(tokenizer, tmp_path, "name: Ann\nname: Bo\ncity: Rome\ncity: Oslo")

    assert answer == Answer(label='[[0,3,"PERSON"],[8,10,"PERSON"],[14,18,"CITY"]]')


def test_numbers_are_read_in_order(tokenizer: Tokenizer, tmp_path: Path) -> None:
    assert answered(tokenizer, tmp_path, "1, 2\n3", "numbers") == Answer(label="[1.0,2.0,3.0]")


def test_a_text_ends_with_its_first_line(tokenizer: Tokenizer, tmp_path: Path) -> None:
    opened, network = session(tokenizer, tmp_path, "Rome\nand Ann and Bo", "text")

    assert opened.decode(opened.infer(opened.encode(TEXT))).label == "Rome"
    assert len(network.run) < len(tokenizer.encode("Rome\nand Ann and Bo").ids)


def test_what_cannot_be_read_is_an_empty_answer_that_says_so(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    assert answered(tokenizer, tmp_path, "Bo is here") == Answer(label="[]", unreadable=True)
    assert answered(tokenizer, tmp_path, "none", "numbers") == Answer(label="[]", unreadable=True)
    assert answered(tokenizer, tmp_path, "none") == Answer(label="[]")


def test_a_loop_of_lines_is_left(tokenizer: Tokenizer, tmp_path: Path) -> None:
    opened, network = session(tokenizer, tmp_path, "name: Ann\n" * 30, limit=10_000)

    said = opened.infer(opened.encode(TEXT))

    line = len(tokenizer.encode("name: Ann\n").ids)
    assert len(network.run) <= line * (LOOP + 1)
    assert opened.decode(said).label == '[[0,3,"PERSON"]]'


def test_writing_stops_at_the_limit(tokenizer: Tokenizer, tmp_path: Path) -> None:
    opened, _ = session(tokenizer, tmp_path, "1, 2, 3, 1, 2, 3", "numbers", limit=4)

    assert len(opened.infer(opened.encode(TEXT)).tokens) == 4


def test_the_prefix_is_run_once(tokenizer: Tokenizer, tmp_path: Path) -> None:
    opened, network = session(tokenizer, tmp_path, "none")
    first = network.run.copy()

    asked = opened.encode(TEXT)
    opened.infer(asked)

    assert first == [asked.inputs.start]
    assert network.run[1] == len(asked.inputs.tokens)
    assert opened.prompt_tokens(TEXT).total == asked.inputs.start + len(asked.inputs.tokens)


def test_it_can_be_driven_freely(tokenizer: Tokenizer, tmp_path: Path) -> None:
    opened, _ = session(tokenizer, tmp_path, "none")

    assert isinstance(opened, GeneratorSession)
    assert tokenizer.decode(list(opened.generate(TEXT, 99))[:-1]) == "none"


def test_labels_are_not_for_writing(tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="writes spans, numbers or text"):
        session(tokenizer, tmp_path, "name", "label")


@pytest.mark.parametrize("length", [1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_a_long_prompt_is_run_in_pieces(length: int) -> None:
    network = Scripted([5, 6], 9, length)

    tokens = list(greedy(network, network.empty(), np.arange(length), end=6, limit=9))

    assert tokens == [5, 6]
    assert sum(network.run) == length + 1
    assert max(network.run) <= AT_ONCE
