from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.backends.ort import labels
from steelyard.backends.torch.layout import Rest, lay_out


def rest(start: int, tokens: Sequence[int]) -> Rest:
    return Rest(start=start, tokens=np.array(tokens, dtype=np.int64))


def test_prompts_end_in_the_same_column_and_positions_go_on_from_what_is_held() -> None:
    tree = labels.grow([(7, 8, 9), (7, 5, 9), (6, 9)])  # nodes 7, 8, 5, 6

    made = lay_out([rest(2, [1, 2, 3]), rest(1, [4])], np.ones((2, 2), bool), tree)

    assert made.tokens.tolist() == [[1, 2, 3, 7, 8, 5, 6], [0, 0, 4, 7, 8, 5, 6]]
    assert made.positions.tolist() == [[2, 3, 4, 5, 6, 6, 5], [0, 0, 1, 2, 3, 3, 2]]
    assert made.real.tolist() == [[True, True, True], [False, False, True]]
    assert made.prompt == 3


def test_a_token_sees_what_is_held_for_its_row_what_is_before_it_and_its_ancestors() -> None:
    tree = labels.grow([(7, 8, 9), (7, 5, 9), (6, 9)])
    held = np.array([[True, True], [True, False]])

    made = lay_out([rest(2, [1, 2]), rest(1, [4])], held, tree)

    def seen(row: int, column: int) -> str:
        return "".join("x" if one else "." for one in made.seen[row, column])

    # Two held, two of the prompt, then the nodes 7, 8, 5, 6.
    assert seen(0, 0) == "xxx....."
    assert seen(0, 1) == "xxxx...."
    assert seen(0, 3) == "xxxxxx.."  # 8 sees its parent 7
    assert seen(0, 4) == "xxxxx.x."  # 5 sees 7 too, and not its sister
    assert seen(0, 5) == "xxxx...x"
    assert seen(1, 1) == "x..x...."  # the shorter prompt never sees what fills it up
    assert seen(1, 5) == "x..x...x"


def test_nodes_alone_follow_a_prompt_that_is_held_already() -> None:
    tree = labels.grow([(7, 8, 9)])

    made = lay_out([rest(5, []), rest(3, [])], np.ones((2, 4), bool), tree)

    assert (made.prompt, made.tokens.tolist()) == (0, [[7, 8], [7, 8]])
    assert made.positions.tolist() == [[5, 6], [3, 4]]


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=4), max_size=4),
)
def test_every_row_of_a_batch_sees_what_it_sees_alone(
    lengths: list[int], words: list[list[int]]
) -> None:
    tree = labels.grow(words)
    rests = [rest(row, range(1, length + 1)) for row, length in enumerate(lengths)]
    held = np.arange(len(rests))[None] < np.array([[one.start] for one in rests])

    together = lay_out(rests, held, tree)

    for row, one in enumerate(rests):
        alone = lay_out([one], held[row : row + 1], tree)
        filled = together.prompt - len(one.tokens)
        known = held.shape[1]
        kept = [*range(known), *range(known + filled, together.seen.shape[2])]
        assert together.tokens[row, filled:].tolist() == alone.tokens[0].tolist()
        assert together.positions[row, filled:].tolist() == alone.positions[0].tolist()
        np.testing.assert_array_equal(together.seen[row, filled:][:, kept], alone.seen[0])
        assert not together.seen[row, filled:, known : known + filled].any()
        assert together.seen[row].any(axis=1).all()


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_labels_are_divided_into_trees_in_their_order(limit: int) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from steelyard.backends.torch.decoder import trees

    answers = [(1, 2, 9), (1, 3, 9), (4, 9), (5, 6, 7, 9)]

    made = trees(answers, limit)

    paths = [path for tree in made for path in tree.paths]
    assert [tuple(step.token for step in path) for path in paths] == answers
    assert all(len(tree.tokens) <= limit or len(tree.paths) == 1 for tree in made)
