"""Put an exported encoder into fewer bits: half precision, int8 with fixed scales, int4 blocks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from steelyard.card import Option
from steelyard.recipes import options
from steelyard.recipes.encoder_calibration import TEXTS

GRAPH, FACTS, TOKENIZER = "encoder.onnx", "encoder.json", "tokenizer.json"
# MatMulNBits: 4 multiplies with int8 activations.
ACCURACY_LEVEL = 4

Lower = Callable[[Path, Path, Mapping[str, Option]], str]


def lower(precision: str, base: Path, target: Path, given: Mapping[str, Option]) -> str:
    """Write the base's graph in another precision to `target`; return a note of how."""
    return LOWERED[precision](base, target, given)


def _fp16(base: Path, target: Path, _: Mapping[str, Option]) -> str:
    """Halve every weight; a runtime without fp16 kernels casts each back before it multiplies."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    halved = convert_float_to_float16(onnx.load(str(base / GRAPH)), keep_io_types=True)
    _save(halved, target)
    return "fp16 weights and operators"


def _int8_static(base: Path, target: Path, _: Mapping[str, Option]) -> str:
    """Fix the scales of the activations by the smallest and largest value on everyday texts.

    Texts differ in length, so histograms (entropy, percentile) cannot be made of them.
    """
    from onnxruntime import quantization

    # It asks for a class of its own by name only; what it calls is `get_next`.
    texts: Any = _Calibration(base)
    quantization.quantize_static(
        str(base / GRAPH),
        str(target),
        texts,
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        calibrate_method=quantization.CalibrationMethod.MinMax,
        op_types_to_quantize=["MatMul", "Gather"],
        # Only products with a weight: attention's own products lose most and save nothing on disk.
        extra_options={"MatMulConstBOnly": True},
    )
    return f"static int8, weights a channel, scales from {len(TEXTS)} everyday texts"


def _int4(base: Path, target: Path, given: Mapping[str, Option]) -> str:
    """Round matrices to 4 bits in blocks with a zero point each, the embeddings to 8 bits."""
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization import matmul_nbits_quantizer as nbits

    size = options.read(given, "block_size", 32)
    config = nbits.DefaultWeightOnlyQuantConfig(
        block_size=size, is_symmetric=False, accuracy_level=ACCURACY_LEVEL, bits=4
    )
    quantizer = nbits.MatMulNBitsQuantizer(onnx.load(str(base / GRAPH)), algo_config=config)
    quantizer.process()
    rounded: Any = quantizer.model
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        blocks = Path(name) / GRAPH
        _save(rounded.model, blocks)
        quantization.quantize_dynamic(
            str(blocks),
            str(target),
            op_types_to_quantize=["Gather"],
            weight_type=quantization.QuantType.QInt8,
        )
    return f"int4 in blocks of {size} with a zero point, embeddings int8"


LOWERED: dict[str, Lower] = {"fp16": _fp16, "int8-static": _int8_static, "int4": _int4}


class _Calibration:
    """Feeds the everyday texts, one at a time; what quantize_static asks of a data reader."""

    def __init__(self, base: Path) -> None:
        import onnx

        graph = onnx.load(str(base / GRAPH), load_external_data=False).graph
        self._inputs = _inputs(base, [given.name for given in graph.input])

    def get_next(self) -> dict[str, Any] | None:
        """Return the next text's inputs, or None after the last."""
        return next(self._inputs, None)


def _inputs(base: Path, names: list[str]) -> Iterator[dict[str, Any]]:
    import numpy as np
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base / TOKENIZER))
    tokenizer.enable_truncation(msgspec.json.decode((base / FACTS).read_bytes())["max_length"])
    tokenizer.no_padding()
    for text in TEXTS:
        found = tokenizer.encode(text)
        given = {
            "input_ids": found.ids,
            "attention_mask": found.attention_mask,
            "token_type_ids": found.type_ids,
        }
        yield {name: np.array([given[name]], np.int64) for name in names}


def _save(model: Any, target: Path) -> None:
    target.write_bytes(model.SerializeToString(deterministic=True))
