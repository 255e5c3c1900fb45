from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from steelyard import arrays
from steelyard.api import ArrayRef, Item, RenderedPrompt, SessionSpec
from steelyard.errors import WorkerError
from steelyard.job import JobPart
from steelyard.worker.payloads import payloads

PROMPT = RenderedPrompt(prefix="", suffix="", answers=(), max_chars=9)
ARRAY = np.array([1.0, 2.0], dtype="<f4")
BOTH = Item(id="i", text="1 2", label="[3.0]", array=ArrayRef(row=0, sha256="0"))
ONLY_ARRAY = Item(id="i", label="[3.0]", array=ArrayRef(row=0, sha256="0"))


def part(folder: Path | None, *, prompt: RenderedPrompt | None = None) -> JobPart:
    spec = SessionSpec(artifact="", session="", threads=1, labels=(), options={}, prompt=prompt)
    return JobPart(spec=spec, items=(), arrays=str(folder) if folder else None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    arrays.write(tmp_path, [ARRAY])
    return tmp_path


def test_a_session_without_a_prompt_gets_the_array(folder: Path) -> None:
    assert payloads(part(folder))(BOTH).tolist() == [1.0, 2.0]


def test_a_session_that_is_asked_in_words_gets_the_text(folder: Path) -> None:
    assert payloads(part(folder, prompt=PROMPT))(BOTH) == "1 2"
    assert payloads(part(None, prompt=PROMPT))(BOTH) == "1 2"


def test_an_item_without_a_text_gives_its_array_to_all(folder: Path) -> None:
    assert payloads(part(folder, prompt=PROMPT))(ONLY_ARRAY).tolist() == [1.0, 2.0]


def test_an_array_needs_its_folder() -> None:
    with pytest.raises(WorkerError, match="names no folder"):
        payloads(part(None))(BOTH)
