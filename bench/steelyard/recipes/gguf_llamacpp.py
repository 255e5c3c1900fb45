"""Take a GGUF file as it is, and write beside it what a session needs: tokenizer, chat template."""

from __future__ import annotations

from pathlib import Path

from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError
from steelyard.recipes import options, published_files
from steelyard.recipes.decoder_chat import chat_json, chat_pieces, tokenizer_of
from steelyard.recipes.decoder_gguf import Gguf

MODEL = "model.gguf"


class GgufLlamaCpp:
    """Writes `model.gguf`, `tokenizer.json` and `chat.json`; not a weight is changed.

    The last two are those that the recipes `gguf-decoder` and `gguf-torch` write of this file: all
    backends are asked in the same tokens.
    """

    version = 1
    trains = False
    tools = ("transformers", "gguf", "tokenizers", "jinja2")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, file or option is wrong, or return None."""
        odd = options.unknown(request.options, ())
        if odd is not None:
            return odd
        if len(_files(request)) != 1:
            return "recipe 'gguf-llamacpp' needs one .gguf file in the card"
        return options.missing((*self.tools,))

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Link the file and write what belongs to it."""
        refusal = self.refuse(request)
        if refusal is not None:
            raise PrepareError(refusal)
        (source,) = _files(request)
        gguf = Gguf(source)
        vocabulary = gguf.vocabulary()
        tokenizer = tokenizer_of(vocabulary)
        tokenizer.save(str(out / "tokenizer.json"))
        (out / "chat.json").write_bytes(chat_json(chat_pieces(vocabulary, tokenizer)))
        published_files.link(source, out / MODEL)
        return BuildReport(parameters=gguf.parameters)


def _files(request: BuildRequest) -> list[Path]:
    return [path for name, path in request.files.items() if name.endswith(".gguf")]
