"""What a person writes for a model that has no card."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from steelyard.errors import OptionError

HUB, PATH = "hub:", "path:"
FILES = (".gguf", ".onnx", ".safetensors")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_REVISION = re.compile(r"[\w][\w./-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Reference(Struct, frozen=True, kw_only=True):
    """A repository at a revision, or a folder; `file` is one of its weights, where it has several.

    Without a revision it is `main`: which commit that is now has to be asked.
    """

    kind: Literal["hub", "path"]
    place: str
    revision: str = "main"
    file: str | None = None

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, which never moves."""
        return self.kind == "path" or _COMMIT.fullmatch(self.revision) is not None

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.kind == "hub" else ""
        return f"{self.kind}:{self.place}{at}" + (f"#{self.file}" if self.file else "")


def parse(text: str) -> Reference | None:
    """Return what `hub:...` or `path:...` stands for, None for any other name: that is a card's.

    Raises OptionError for one that cannot be meant.
    """
    if text.startswith(PATH):
        place, file = _split_file(text.removeprefix(PATH))
        if not place:
            raise OptionError(f"{text}: expected path:DIR, a folder with config.json and weights")
        return Reference(kind="path", place=place, file=file)
    if not text.startswith(HUB):
        return None
    rest, file = _split_file(text.removeprefix(HUB))
    repo, at, revision = rest.partition("@")
    if not _REPO.fullmatch(repo) or (at and not _REVISION.fullmatch(revision)):
        raise OptionError(
            f"{text}: expected hub:ORG/NAME@REVISION, such as hub:Qwen/Qwen2.5-7B@main"
        )
    return Reference(kind="hub", place=repo, revision=revision or "main", file=file)


def _split_file(text: str) -> tuple[str, str | None]:
    """Take `#FILE` off the end; a path may hold the sign itself."""
    place, sign, file = text.rpartition("#")
    if sign and file.endswith(FILES):
        return place, file
    return text, None
