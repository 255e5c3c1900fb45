"""The generate shape: free generation, each token's time kept."""

from __future__ import annotations

from steelyard.api import GeneratorSession, Item
from steelyard.card import GenerateLoad
from steelyard.errors import Refusal
from steelyard.loads import GenerateResult, Generation
from steelyard.worker.clock import Clock
from steelyard.worker.rig import Rig, quiet


def generate(rig: Rig, load: GenerateLoad) -> GenerateResult:
    """Generate for one item after the other; raise Refusal where the session writes nothing."""
    session = rig.session
    if not isinstance(session, GeneratorSession):
        raise Refusal(
            f"load 'generate': {type(session).__name__} writes no text; "
            "leave the shape out for this model"
        )
    for _ in session.generate(rig.order[-1].text, load.max_new_tokens):
        pass  # the warm-up
    generations: list[Generation] = []
    latest = rig.clock.now() + round(load.seconds * 1e9)
    with quiet():
        while len(generations) < load.calls:
            item = rig.order[len(generations) % len(rig.order)]
            generations.append(_generation(session, item, load.max_new_tokens, rig.clock))
            if rig.clock.now() >= latest:
                break
    return GenerateResult(max_new_tokens=load.max_new_tokens, generations=tuple(generations))


def _generation(
    session: GeneratorSession, item: Item, max_new_tokens: int, clock: Clock
) -> Generation:
    now = clock.now
    size = session.prompt_tokens(item.text)
    stamps: list[int] = []
    began = now()
    for _ in session.generate(item.text, max_new_tokens):
        stamps.append(now())  # noqa: PERF401 - each at its own time
    return Generation(
        item=item.id,
        prompt_tokens=size.total,
        cached_tokens=size.cached,
        token_ns=tuple(stamp - began for stamp in stamps),
    )
