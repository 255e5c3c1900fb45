"""Trace a decoder into an ONNX graph whose weights are still inputs, without loading any weight."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from typing import Any

OPSET = 17
PREFIX = "model."
# No size of a weight enters the graph but the heads' number and width, so the rest is traced small:
# the exporter evaluates what depends on weights alone, which costs minutes at full size.
SMALL = {"hidden_size": 8, "intermediate_size": 8, "vocab_size": 8}


def trace(config: Mapping[str, Any]) -> Any:
    """Return an ONNX model of the architecture; weights appear as inputs named `model.<weight>`.

    Inputs are `input_ids` and `position_ids` (1, s), `attention_bias` (1, 1, s, past + s), added
    to the attention's scores, `logit_positions` (k) and the past keys and values; outputs are
    `logits` (1, k, vocabulary) and the present ones. The bias lets one call hold several
    continuations of one prompt side by side, the positions keep the output layer from running
    where nobody looks.
    """
    import onnx
    import torch

    network = _network(config)
    inputs, outputs, axes = _names(int(config["num_hidden_layers"]))
    buffer: Any = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracer warnings on branches that no input reaches
        torch.onnx.export(
            network,
            _example(config),
            buffer,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
            do_constant_folding=False,
            export_params=False,
        )
    return onnx.load_from_string(buffer.getvalue())


def _network(config: Mapping[str, Any]) -> Any:
    import torch
    from accelerate import init_empty_weights
    from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

    class Scoring(torch.nn.Module):  # type: ignore[misc]  # torch is not checked
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any, positions: Any, bias: Any, wanted: Any, *past: Any) -> Any:
            pairs: Any = tuple(zip(past[::2], past[1::2], strict=True))
            cache = DynamicCache.from_legacy_cache(pairs)
            out = self.model.model(
                input_ids=ids,
                attention_mask=bias,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
            )
            hidden = torch.index_select(out.last_hidden_state, 1, wanted)
            present = out.past_key_values.to_legacy_cache()
            return (self.model.lm_head(hidden), *(half for layer in present for half in layer))

    settings: dict[str, Any] = {**config, **SMALL}
    declared = AutoConfig.for_model(**settings)
    # Eager attention is plain MatMul and Softmax and takes any additive bias.
    declared._attn_implementation = "eager"  # noqa: SLF001  # there is no public way
    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(declared, dtype=torch.float32).eval()
    _stand_ins(model)
    model.tie_weights()
    return Scoring(model)


def _stand_ins(model: Any) -> None:
    """Give every weight one number, seen as if it filled the whole shape.

    The numbers differ because the exporter merges weights whose values are equal.
    """
    import torch

    slots = [
        (module, name, weight.shape)
        for module in model.modules()
        for name, weight in module.named_parameters(recurse=False)
    ]
    for index, (module, name, shape) in enumerate(slots):
        value = torch.full((1,), 1e-3 * (index + 1)).expand(shape)
        setattr(module, name, torch.nn.Parameter(value, requires_grad=False))


def _example(config: Mapping[str, Any]) -> tuple[Any, ...]:
    import torch

    length, past = 3, 2
    shape = (1, config["num_key_value_heads"], past, config["head_dim"])
    halves = [torch.zeros(shape) for _ in range(2 * int(config["num_hidden_layers"]))]
    return (
        torch.ones((1, length), dtype=torch.long),
        torch.arange(past, past + length)[None],
        torch.zeros((1, 1, length, past + length)),
        torch.tensor([length - 2, length - 1]),
        *halves,
    )


def _names(layers: int) -> tuple[list[str], list[str], dict[str, dict[int, str]]]:
    """Return the names of inputs and outputs and their variable axes."""
    inputs = ["input_ids", "position_ids", "attention_bias", "logit_positions"]
    outputs = ["logits"]
    axes = {
        "input_ids": {1: "length"},
        "position_ids": {1: "length"},
        "attention_bias": {2: "length", 3: "total"},
        "logit_positions": {0: "wanted"},
        "logits": {1: "wanted", 2: "vocabulary"},
    }
    for layer in range(layers):
        for half in ("key", "value"):
            inputs.append(f"past.{layer}.{half}")
            outputs.append(f"present.{layer}.{half}")
            axes[inputs[-1]] = {2: "past"}
            axes[outputs[-1]] = {2: "total"}
    return inputs, outputs, axes
