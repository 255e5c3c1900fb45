"""Turn a GGUF's tokenizer and chat template into files that need neither GGUF nor templates."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.errors import PrepareError
from steelyard.recipes.decoder_gguf import Vocabulary

# llama.cpp's token types (llama_token_type): control tokens and tokens that a user added.
SPECIAL_TYPES = (3, 4)
# Words that a template would not hold itself and that no template trims or escapes.
# What Llama 3.1's own template says where no date is given.
SAID_DATE = date(2024, 7, 26)
QUESTION, REPLY, SECOND = "steelyardquestion", "steelyardreply", "steelyardsecond"


class ChatPieces(Struct, frozen=True, kw_only=True):
    """The publisher's chat template as literal text: what stands around each turn."""

    opening: str
    user: tuple[str, str]
    assistant: tuple[str, str]


def tokenizer_of(vocabulary: Vocabulary) -> Any:
    """Return a `tokenizers.Tokenizer` with every control token special."""
    from tokenizers import AddedToken
    from transformers.integrations.ggml import convert_gguf_tokenizer

    tokenizer, _ = convert_gguf_tokenizer(vocabulary.architecture, dict(vocabulary.tokenizer))
    tokens = vocabulary.tokenizer["tokens"]
    kinds = vocabulary.tokenizer["token_type"]
    special = [
        AddedToken(token, special=True, normalized=False)
        for token, kind in zip(tokens, kinds, strict=True)
        if kind in SPECIAL_TYPES
    ]
    tokenizer.add_special_tokens(special)
    return tokenizer


def chat_pieces(vocabulary: Vocabulary, tokenizer: Any) -> ChatPieces:
    """Return the pieces of the chat template that a GGUF carries."""
    bos, eos = (_token(vocabulary, key) for key in ("bos_token_id", "eos_token_id"))
    return cut_template(tokenizer, vocabulary.chat_template, bos, eos)


def cut_template(tokenizer: Any, template: str, bos: str | None, eos: str | None) -> ChatPieces:
    """Render a template on marked messages and cut it at the marks.

    transformers renders in jinja2's sandbox. Raises PrepareError for what cannot be cut.
    """
    from jinja2 import TemplateError
    from transformers import PreTrainedTokenizerFast

    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, eos_token=eos)

    def render(*texts: str, ask: bool) -> str:
        roles = ("user", "assistant", "user")
        turns = [{"role": r, "content": t} for r, t in zip(roles, texts, strict=False)]
        return str(
            wrapped.apply_chat_template(
                turns,
                chat_template=template,
                tokenize=False,
                add_generation_prompt=ask,
                # Some templates say today's date: the same artefact would differ by the day.
                strftime_now=_said_date,
            )
        )

    try:
        return _cut(
            asked=render(QUESTION, REPLY, SECOND, ask=True),
            told=render(QUESTION, REPLY, SECOND, ask=False),
            closed=render(QUESTION, REPLY, ask=False),
        )
    except (TemplateError, TypeError, ValueError) as error:
        raise PrepareError(f"the chat template cannot be rendered: {error}") from error


def _said_date(form: str) -> str:
    return SAID_DATE.strftime(form)


def _cut(asked: str, told: str, closed: str) -> ChatPieces:
    """Return the pieces; refuse a template whose turns look different by position."""
    before, _, rest = asked.partition(QUESTION)
    between, _, rest = rest.partition(REPLY)
    again, _, last = rest.partition(SECOND)
    user_end = told.partition(SECOND)[2]
    reply_end = closed.partition(REPLY)[2]
    user_start = again.removeprefix(reply_end)
    pieces = ChatPieces(
        opening=before.removesuffix(user_start),
        user=(user_start, user_end),
        assistant=(between.removeprefix(user_end), reply_end),
    )
    # A space after the last mark is the answer's own first one in some templates.
    cut_well = asked.rstrip(" ") == _whole(pieces).rstrip(" ")
    if not reply_end or not cut_well or last.rstrip(" ") != between.rstrip(" "):
        raise PrepareError("the chat template's turns differ by position; it cannot be cut")
    return pieces


def _whole(pieces: ChatPieces) -> str:
    first = f"{pieces.user[0]}{QUESTION}{pieces.user[1]}"
    reply = f"{pieces.assistant[0]}{REPLY}{pieces.assistant[1]}"
    second = f"{pieces.user[0]}{SECOND}{pieces.user[1]}{pieces.assistant[0]}"
    return f"{pieces.opening}{first}{reply}{second}"


def _token(vocabulary: Vocabulary, key: str) -> str | None:
    index = vocabulary.tokenizer.get(key)
    return None if index is None else str(vocabulary.tokenizer["tokens"][index])


def chat_json(pieces: ChatPieces) -> bytes:
    """Return `chat.json`."""
    return msgspec.json.encode(pieces, order="sorted")
