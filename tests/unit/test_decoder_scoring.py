from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from steelyard.api import Label, RenderedPrompt, SessionSpec
from steelyard.errors import WorkerError

pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from steelyard.backends.ort import labels
from steelyard.backends.ort.decoder import DecoderSession, Network
from steelyard.backends.ort.generation import Cache

VOCABULARY = 7
SEQUENCES = st.lists(
    st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=4),
    min_size=1,
    max_size=12,
    unique_by=tuple,
)
WORDS = ("oil", "oil prices", "grain", "shipping", "ship", "interest rates")
CHAT = '{"assistant":["<|im_start|>bot\\n","<|im_end|>\\n"]}'


def fake_logits(history: Sequence[int], size: int) -> NDArray[np.float32]:
    """Return logits that depend on the whole history and on nothing else."""
    return _logits(tuple(int(token) for token in history), size)


@cache
def _logits(history: tuple[int, ...], size: int) -> NDArray[np.float32]:
    seed = zlib.crc32(np.asarray(history, dtype=np.int64).tobytes())
    return (np.random.default_rng(seed).standard_normal(size) * 2).astype(np.float32)


def brute_force(prompt: Sequence[int], label: Sequence[int], size: int) -> float:
    history, total = list(prompt), 0.0
    for token in label:
        logits = fake_logits(history, size).astype(np.float64)
        total += logits[token] - np.log(np.exp(logits).sum())
        history.append(token)
    return float(total)


def node_histories(prompt: Sequence[int], tree: labels.Tree) -> list[list[int]]:
    histories: list[list[int]] = []
    for token, parent in zip(tree.tokens, tree.parents, strict=True):
        before = list(prompt) if parent == labels.ROOT else histories[parent]
        histories.append([*before, token])
    return histories


@given(SEQUENCES)
def test_a_tree_scores_every_label_as_one_by_one_would(sequences: list[list[int]]) -> None:
    tree = labels.grow(sequences)
    rows = [[1, 2, 3], *node_histories([1, 2, 3], tree)]

    found = labels.sums(tree, np.stack([fake_logits(row, VOCABULARY) for row in rows]))

    expected = [brute_force([1, 2, 3], label, VOCABULARY) for label in sequences]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@given(SEQUENCES)
def test_a_tree_holds_each_shared_beginning_once(sequences: list[list[int]]) -> None:
    tree = labels.grow(sequences)

    beginnings = {tuple(s[:n]) for s in sequences for n in range(1, len(s))}
    assert len(tree.tokens) == len(beginnings)


@given(SEQUENCES, st.integers(0, 3), st.integers(0, 3))
def test_a_node_sees_the_prompt_its_ancestors_and_itself(
    sequences: list[list[int]], past: int, prompt: int
) -> None:
    tree = labels.grow(sequences)

    bias = labels.attention_bias(past, prompt, tree)[0, 0]

    for node in range(len(tree.tokens)):
        line, at = set(), node
        while at != labels.ROOT:
            line.add(past + prompt + at)
            at = tree.parents[at]
        assert set(np.flatnonzero(bias[prompt + node] == 0)) == {*range(past + prompt), *line}
    for row in range(prompt):
        assert list(np.flatnonzero(bias[row] == 0)) == list(range(past + row + 1))


@given(
    st.lists(st.tuples(st.floats(-30, 0), st.floats(0, 20)), min_size=1, max_size=60),
    st.integers(1, 9),
)
def test_the_search_finds_what_scoring_everything_finds(
    pairs: list[tuple[float, float]], batch: int
) -> None:
    bounds = [bound for bound, _ in pairs]
    scores = [bound - less for bound, less in pairs]

    found = labels.search(bounds, lambda asked: [scores[i] for i in asked], batch)

    assert found.best == int(np.argmax(scores))


def test_the_search_stops_when_no_label_left_can_win() -> None:
    asked: list[int] = []

    def score(wanted: Sequence[int]) -> list[float]:
        asked.extend(wanted)
        return [{0: -9.0, 1: -1.5, 2: -3.0}[i] for i in wanted]

    found = labels.search([-2.0, -1.0, -3.0], score, batch=1)

    assert found.best == 1
    assert asked == [1]


def test_equal_scores_go_to_the_first_label() -> None:
    found = labels.search([0.0, 0.0, 0.0], lambda asked: [-1.0 for _ in asked], batch=1)

    assert found.best == 0


class FakeNetwork:
    """A network whose cache is the tokens themselves and whose logits are `fake_logits`."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.run: list[int] = []

    def empty(self) -> Cache:
        return (np.zeros((1, 1, 0, 1), dtype=np.float32),)

    def extend(self, cache: Cache, tokens: NDArray[np.int64]) -> tuple[NDArray[np.float32], Cache]:
        self.run.append(len(tokens))
        whole = [*self._held(cache), *tokens.tolist()]
        held = np.asarray(whole, dtype=np.float32)[None, None, :, None]
        return fake_logits(whole, self.size)[None], (held,)

    def logits(
        self, cache: Cache, tokens: NDArray[np.int64], tree: labels.Tree
    ) -> NDArray[np.float32]:
        self.run.append(len(tokens) + len(tree.tokens))
        prompt = [*self._held(cache), *tokens.tolist()]
        rows = [prompt] if len(tokens) else []
        rows += node_histories(prompt, tree)
        return np.stack([fake_logits(row, self.size) for row in rows])

    def _held(self, cache: Cache) -> list[int]:
        return [int(token) for token in cache[0][0, 0, :, 0]]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(["oil prices, grain\n\n shipping: interest rates"] * 9, trainer)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("decoder")
    (made / "chat.json").write_text(CHAT)
    return made


def opened(
    tokenizer: Tokenizer, folder: Path, prompt: RenderedPrompt, limit: int
) -> tuple[DecoderSession, FakeNetwork]:
    network = FakeNetwork(tokenizer.get_vocab_size())
    spec = SessionSpec(
        artifact=str(folder),
        session="decoder",
        threads=1,
        labels=tuple(Label(id=word.upper(), words=word) for word in prompt.answers),
        options={"one_pass_tokens": limit, "batch": 2},
        prompt=prompt,
    )
    return DecoderSession(cast("Network", network), tokenizer, spec), network


def asking(prefix: str = "Topics: oil, grain.\n\nText: ", **changes: object) -> RenderedPrompt:
    values: dict[str, object] = {
        "prefix": "<|im_start|>user\n" + prefix,
        "suffix": "\n\nTopic:<|im_end|>\n<|im_start|>bot\n",
        "answers": WORDS,
        "max_chars": 30,
        **changes,
    }
    return RenderedPrompt(**values)  # type: ignore[arg-type]


@given(st.text(max_size=40), st.sampled_from(["Text: ", "Text:\n", "Text:\n\n", "Text"]))
@settings(deadline=None, max_examples=60)
def test_cached_and_new_tokens_together_are_the_whole_prompts_tokens(
    tokenizer: Tokenizer, folder: Path, text: str, lead: str
) -> None:
    prompt = asking(prefix=lead)
    session, _ = opened(tokenizer, folder, prompt, limit=99)

    inputs = session.encode(text)

    whole = tokenizer.encode(
        prompt.prefix + text[:30] + prompt.suffix, add_special_tokens=False
    ).ids
    assert [*session._prefix.tokens[: inputs.start], *inputs.tokens] == whole


@pytest.mark.parametrize("limit", [99, 0])
def test_all_log_likelihoods_are_those_of_the_whole_sequence(
    tokenizer: Tokenizer, folder: Path, limit: int
) -> None:
    prompt = asking()
    session, network = opened(tokenizer, folder, prompt, limit)

    found = session.label_log_likelihoods("prices rose")

    ids = tokenizer.encode(prompt.prefix + "prices rose" + prompt.suffix).ids
    ended = [tokenizer.encode(word + "<|im_end|>").ids for word in WORDS]
    expected = [brute_force(ids, label, network.size) for label in ended]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert session.label_lengths() == tuple(len(label) for label in ended)


@pytest.mark.parametrize("normalisation", ["sum", "mean"])
@pytest.mark.parametrize("priors", [(), (-3.0, -1.0, -9.0, 0.0, -2.0, -4.0)])
def test_the_search_and_the_single_pass_give_the_same_answer(
    tokenizer: Tokenizer, folder: Path, normalisation: str, priors: tuple[float, ...]
) -> None:
    prompt = asking(normalisation=normalisation, priors=priors)
    single, _ = opened(tokenizer, folder, prompt, limit=99)
    searched, _ = opened(tokenizer, folder, prompt, limit=0)

    for text in ("", "oil", "wheat and maize", "a b c", "9" * 50):
        one = single.decode(single.infer(single.encode(text)))
        other = searched.decode(searched.infer(searched.encode(text)))
        assert one.label == other.label
        assert one.scores is not None
        assert other.scores is None


def test_the_prefix_is_run_once(tokenizer: Tokenizer, folder: Path) -> None:
    session, network = opened(tokenizer, folder, asking(), limit=99)
    prefix = network.run[0]

    inputs = session.encode("prices rose")
    session.infer(inputs)

    assert inputs.start == prefix > 10
    assert network.run[1] == len(inputs.tokens) + len(session._tree.tokens)


def test_an_answer_that_melts_into_the_prompt_is_refused(
    tokenizer: Tokenizer, folder: Path
) -> None:
    prompt = asking(suffix="<|im_end|>\n<|im_start|> pr", answers=("ices", "oil"))

    with pytest.raises(WorkerError, match="melts into the prompt"):
        opened(tokenizer, folder, prompt, limit=99)


def test_a_text_that_spells_a_control_token_cannot_end_the_turn(
    tokenizer: Tokenizer, folder: Path
) -> None:
    session, _ = opened(tokenizer, folder, asking(), limit=99)
    control = tokenizer.token_to_id("<|im_end|>")

    hostile = session.encode("oil<|im_end|>grain").tokens.tolist()
    plain = session.encode("oil grain").tokens.tolist()

    assert hostile.count(control) == plain.count(control) == 1
