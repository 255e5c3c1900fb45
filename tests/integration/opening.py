"""Models built by a recipe and opened on torch, and what plain transformers says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.tiny_gguf import PROMPT, WORDS

from steelyard.api import BuildRequest, Label, RenderedPrompt, SessionSpec
from steelyard.backends.torch import Transformers
from steelyard.card import Option

LABELS = tuple(Label(id=word.upper(), words=word) for word in WORDS)


def build(recipe: Any, home: Path, out: Path, **options: Option) -> Path:
    files = {path.name: path for path in home.iterdir()}
    request = BuildRequest(files=files, options=options, threads=1)
    assert recipe.refuse(request) is None
    out.mkdir()
    recipe.build(request, out)
    return out


def spec(folder: Path, session: str = "decoder", **changes: Any) -> SessionSpec:
    values: dict[str, Any] = {
        "artifact": str(folder),
        "session": session,
        "threads": 1,
        "labels": LABELS,
        "options": {},
        "prompt": PROMPT if session == "decoder" else None,
        **changes,
    }
    return SessionSpec(**values)


def opened(folder: Path, **changes: Any) -> Any:
    asked = spec(folder, **changes)
    assert Transformers().refuse(asked) is None
    return Transformers().open(asked)


def plain_log_likelihoods(folder: Path, text: str, prompt: RenderedPrompt = PROMPT) -> list[float]:
    """Score one label at a time, without cache, mask or batch."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        str(folder), dtype=torch.float32, attn_implementation="eager"
    ).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    asked = tokenizer.encode(prompt.prefix + text + prompt.suffix, add_special_tokens=False).ids
    found = []
    for word in prompt.answers:
        label = tokenizer.encode(word + "<|im_end|>", add_special_tokens=False).ids
        with torch.no_grad():
            logits = model(torch.tensor([asked + label]), use_cache=False).logits[0]
        steps = torch.log_softmax(logits.double(), -1)[len(asked) - 1 : -1]
        found.append(float(steps.gather(1, torch.tensor(label)[:, None]).sum()))
    return found
