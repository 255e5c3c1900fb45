from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import BuildRequest
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.recipes import decoder_chat, decoder_gguf
from steelyard.recipes.decoder import GgufDecoder, storage
from steelyard.recipes.decoder_weights import Blocks, Precision, pack, quantise

ASKED = "<s>sys|user:{q};|bot:{r};|user:{s};|bot:"


def conversation(shape: str) -> str:
    return shape.format(q=decoder_chat.QUESTION, r=decoder_chat.REPLY, s=decoder_chat.SECOND)


@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 8]), st.sampled_from([16, 32]))
def test_quantised_weights_are_within_half_a_step(seed: int, bits: int, size: int) -> None:
    matrix = np.random.default_rng(seed).standard_normal((3, 64)).astype(np.float32)

    stored = quantise(matrix, Blocks(bits=bits, size=size, accuracy_level=4))

    levels, zeros = (unpacked(values, bits) for values in (stored.packed, stored.zeros))
    blocks = levels.reshape(3, -1, size).astype(np.float32) - zeros[:, : 64 // size, None]
    back = (blocks * stored.scales[:, :, None]).reshape(3, 64)
    # Rounding the zero point moves a block by up to half a step more.
    assert np.all(np.abs(back - matrix).reshape(3, -1, size) <= 1.01 * stored.scales[:, :, None])


def unpacked(values: np.ndarray, bits: int) -> np.ndarray:
    if bits == 8:
        return values
    return np.stack([values & 15, values >> 4], axis=-1).reshape(*values.shape[:-1], -1)


def test_a_block_of_zeros_stays_zero() -> None:
    stored = quantise(np.zeros((1, 32), np.float32), Blocks(bits=8, size=32, accuracy_level=4))

    assert not stored.packed.any()
    assert stored.scales[0, 0] == 1


def test_an_odd_row_of_four_bit_levels_is_filled_with_a_zero() -> None:
    packed = pack(np.array([[1, 2, 3]], np.uint8), 4)

    assert packed.tolist() == [[0x21, 0x03]]


def test_rotary_pairs_are_put_back_one_after_the_other() -> None:
    # Two heads of four rows; llama.cpp stores rows 0, 2, 1, 3 of each.
    stored = np.array([[0], [2], [1], [3], [4], [6], [5], [7]], np.float32)

    assert decoder_gguf.unpermute(stored, 2)[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("model.embed_tokens.weight", "token_embd.weight"),
        ("lm_head.weight", "output.weight"),
        ("model.layers.11.self_attn.q_proj.bias", "blk.11.attn_q.bias"),
        ("model.layers.0.post_attention_layernorm.weight", "blk.0.ffn_norm.weight"),
    ],
)
def test_names_are_translated(name: str, stored: str) -> None:
    assert decoder_gguf.gguf_name(name) == stored


def test_a_conversation_is_cut_into_its_turns() -> None:
    pieces = decoder_chat._cut(
        asked=conversation(ASKED),
        told=conversation("<s>sys|user:{q};|bot:{r};|user:{s};"),
        closed=conversation("<s>sys|user:{q};|bot:{r};"),
    )

    assert pieces.opening == "<s>sys"
    assert pieces.user == ("|user:", ";")
    assert pieces.assistant == ("|bot:", ";")


def test_a_template_whose_turns_differ_by_position_is_refused() -> None:
    with pytest.raises(PrepareError, match="differ by position"):
        decoder_chat._cut(
            asked=conversation("<s>|first:{q};|bot:{r};|user:{s};|bot:"),
            told=conversation("<s>|first:{q};|bot:{r};|user:{s};"),
            closed=conversation("<s>|first:{q};|bot:{r}!"),
        )


def test_mixed_storage_keeps_the_ends_at_eight_bits() -> None:
    plan = storage(Precision(precision="int4-mixed", block_size=32, accuracy_level=4), layers=6)

    bits = [plan(f"model.layers.{i}.mlp.up_proj.weight") for i in range(6)]

    assert [one.bits for one in bits if isinstance(one, Blocks)] == [8, 8, 4, 4, 8, 8]
    head = plan("lm_head.weight")
    assert isinstance(head, Blocks)
    assert head.bits == 8


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"precision": "int3"}, "int3"),
        ({"blocks": 32}, "no option blocks"),
        ({"block_size": "32"}, "expected int"),
        ({"block_size": 33}, "block_size"),
        ({"accuracy_level": 9}, "accuracy_level"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_slow(
    options: dict[str, Option], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steelyard.recipes.decoder.find_spec", lambda _: object())
    request = BuildRequest(files={"m.gguf": Path("m.gguf")}, options=options, threads=1)

    refusal = GgufDecoder().refuse(request)

    assert refusal is not None
    assert reason in refusal


def test_a_card_without_a_gguf_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steelyard.recipes.decoder.find_spec", lambda _: object())
    request = BuildRequest(files={"m.bin": Path("m.bin")}, options={}, threads=1)

    assert "one .gguf" in (GgufDecoder().refuse(request) or "")


def test_too_little_memory_is_refused_with_both_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("steelyard.recipes.decoder.find_spec", lambda _: object())
    free = SimpleNamespace(available=1_500_000_000)
    monkeypatch.setattr("steelyard.recipes.decoder.psutil.virtual_memory", lambda: free)
    file = tmp_path / "m.gguf"
    file.write_bytes(b"")
    os.truncate(file, 1_000_000_000)
    request = BuildRequest(files={"m.gguf": file}, options={}, threads=1)

    refusal = GgufDecoder().refuse(request)

    assert refusal is not None
    assert "needs about 4.3 GB of memory, 1.5 GB is free" in refusal
