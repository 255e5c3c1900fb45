"""Put a published model together as it is: config, weights, tokenizer, and what a session needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from steelyard import shards
from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError
from steelyard.recipes import options, published_files

KNOWN = ("kind",)
KINDS = ("chat", "classifier")
PLAIN = ("config.json", "tokenizer.json")
WEIGHTS = (".safetensors", shards.SUFFIX, ".onnx", ".onnx_data", ".onnx.data")
# For tokenizers that no longer say how long a text may be (transformers' VERY_LARGE_INTEGER).
UNTOLD = 1_000_000
TRAINED_ELSEWHERE = "learned from its publisher's own labelled items, how many is not known here"


class Published:
    """Links config.json, tokenizer.json and the weights; `kind` says what else is written.

    `chat`: `chat.json`, the publisher's chat template as literal text. `classifier`:
    `classifier.json`, its own labels and where texts are cut. Nothing of the model's code is run.
    """

    version = 1
    trains = False
    tools = ("transformers", "tokenizers", "jinja2")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which option, package or file is wrong, or return None."""
        odd = options.unknown(request.options, KNOWN)
        if odd is not None:
            return odd
        if request.options.get("kind") not in KINDS:
            return f"options.kind: expected one of {', '.join(KINDS)}"
        absent = [name for name in PLAIN if name not in request.files]
        if absent or not _weights(request):
            return f"the card has no {absent[0] if absent else 'safetensors or ONNX file'}"
        needed = ["tokenizers"]
        needed += ["transformers", "jinja2"] if request.options["kind"] == "chat" else []
        needed += ["onnx"] if any(name.endswith(".onnx") for name in _weights(request)) else []
        return options.missing(needed)

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Link the files; write `chat.json` or `classifier.json`.

        Raises Refusal for an index that names files which the card has not.
        """
        refusal = self.refuse(request)
        if refusal is not None:
            raise PrepareError(refusal)
        _check_shards(request)
        for name in (*PLAIN, *_weights(request)):
            published_files.link(request.files[name], out / name)
        if request.options["kind"] == "chat":
            (out / "chat.json").write_bytes(_chat(request))
        else:
            (out / "classifier.json").write_bytes(_classifier(request))
        paths = [request.files[name] for name in _weights(request)]
        notes = () if request.options["kind"] == "chat" else (TRAINED_ELSEWHERE,)
        return BuildReport(parameters=published_files.parameters(paths), notes=notes)


def _weights(request: BuildRequest) -> list[str]:
    return sorted(name for name in request.files if name.endswith(WEIGHTS))


def _check_shards(request: BuildRequest) -> None:
    for name in _weights(request):
        if name.endswith(shards.SUFFIX):
            shards.check(request.files[name].read_bytes(), request.files, name)


def _chat(request: BuildRequest) -> bytes:
    from tokenizers import Tokenizer

    from steelyard.recipes.decoder_chat import chat_json, cut_template

    said = _read(request, "tokenizer_config.json")
    tokenizer = Tokenizer.from_file(str(request.files["tokenizer.json"]))
    pieces = cut_template(
        tokenizer, _template(request, said), _token(said, "bos_token"), _token(said, "eos_token")
    )
    return chat_json(pieces)


def _template(request: BuildRequest, said: dict[str, Any]) -> str:
    """Return the chat template: a file of its own, else the one in tokenizer_config.json."""
    own = request.files.get("chat_template.jinja")
    if own is not None:
        return own.read_text()
    found = said.get("chat_template")
    if isinstance(found, list):  # several, each with a name
        found = {one["name"]: one["template"] for one in found}.get("default")
    if not isinstance(found, str):
        raise PrepareError("the model carries no chat template; a generalist needs one")
    return found


def _token(said: dict[str, Any], name: str) -> str | None:
    """Return a special token, which is said as a text or as a table that holds it."""
    found = said.get(name)
    if isinstance(found, dict):
        found = found.get("content")
    return None if found is None else str(found)


def _classifier(request: BuildRequest) -> bytes:
    config = _read(request, "config.json")
    names = {int(place): str(name) for place, name in (config.get("id2label") or {}).items()}
    if sorted(names) != list(range(len(names))) or len(names) < 2:
        raise PrepareError("config.json.id2label: expected the names of at least two labels")
    facts = {
        "labels": [names[place] for place in sorted(names)],
        "max_length": _max_length(config, _read(request, "tokenizer_config.json")),
        "pad": int(config.get("pad_token_id") or 0),
    }
    return msgspec.json.encode(facts, order="sorted")


def _max_length(config: dict[str, Any], said: dict[str, Any]) -> int:
    """Return how many tokens the model takes: what its tokenizer says, within its positions."""
    told = said.get("model_max_length")
    positions = config.get("max_position_embeddings")
    # RoBERTa's positions begin after the padding's: 514 are there, 512 are for tokens.
    usable = positions - positions % 512 if positions and positions > 512 else positions
    known = [int(n) for n in (told, usable) if n and n < UNTOLD]
    if not known:
        raise PrepareError("neither config nor tokenizer says how long a text may be")
    return min(known)


def _read(request: BuildRequest, name: str) -> dict[str, Any]:
    path = request.files.get(name)
    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise PrepareError(f"{name}: {error}") from error
