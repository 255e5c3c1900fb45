"""Find the cards and check them; a bad card is an error of one line, never an absence."""

from __future__ import annotations

import difflib
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from steelyard.card import SCHEMA, ModelCard, TaskCard, Variant
from steelyard.errors import CardError, UnknownNameError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Card = TypeVar("Card", TaskCard, ModelCard)
Decoded = TypeVar("Decoded")


class Found(Struct, Generic[Card], frozen=True, kw_only=True):
    """A card with its folder and the sha256 of its file."""

    card: Card
    folder: Path
    sha256: str


class Catalog(Struct, frozen=True, kw_only=True):
    """All cards, by id."""

    tasks: dict[str, Found[TaskCard]]
    models: dict[str, Found[ModelCard]]

    def task(self, name: str) -> Found[TaskCard]:
        """Return the task `name`; raise UnknownNameError with the nearest name."""
        return _named(self.tasks, name, "task")

    def model(self, name: str) -> Found[ModelCard]:
        """Return the model `name`; raise UnknownNameError with the nearest name."""
        return _named(self.models, name, "model")

    def variant(self, model: str, name: str) -> Variant:
        """Return a variant of a model; raise UnknownNameError with the nearest name."""
        variants = {variant.id: variant for variant in self.model(model).card.variants}
        return _named(variants, name, f"variant of {model}")


def load(extra: Sequence[Path] = ()) -> Catalog:
    """Read the shipped cards, those of installed packages, and those under `extra`.

    Raises CardError for the first card that is malformed or whose id is taken.
    """
    roots = [shipped_root(), *_package_roots(), *extra]
    for root in extra:
        if not ((root / "tasks").is_dir() or (root / "models").is_dir()):
            raise CardError(f"{root}: expected a folder with tasks/ or models/ in it")
    return Catalog(
        tasks=_collect(roots, "tasks", TaskCard), models=_collect(roots, "models", ModelCard)
    )


def only(root: Path) -> Catalog:
    """Read the cards under `root` and no others; raise CardError as `load` does."""
    return Catalog(
        tasks=_collect([root], "tasks", TaskCard), models=_collect([root], "models", ModelCard)
    )


def shipped_root() -> Path:
    """Return the folder that holds the shipped models/ and tasks/.

    In a wheel they are inside the package; in a checkout beside bench/.
    """
    package = Path(str(files("steelyard")))
    checkout = Path(__file__).resolve().parents[2]
    if (package / "tasks").is_dir():
        return package
    if (checkout / "pyproject.toml").is_file() and (checkout / "tasks").is_dir():
        return checkout
    raise CardError(f"no tasks/ in {package} nor in {checkout}; reinstall steelyard")


def decode(data: bytes, kind: type[Decoded], where: str) -> Decoded:
    """Decode TOML strictly; raise CardError as `file.key: what was expected`."""
    try:
        raw = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CardError(f"{where}: not TOML: {error}") from error
    if "schema" in raw and raw["schema"] != SCHEMA:
        raise CardError(
            f"{where}.schema: version {raw['schema']!r}, this steelyard reads {SCHEMA}; "
            "update steelyard or the file"
        )
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise CardError(_located(str(error), raw, where)) from error


def _located(message: str, raw: Any, where: str) -> str:
    """Turn msgspec's `Expected ... - at `$.a[0].b`` into `file.a[0].b: expected ..., got ...`."""
    what, _, path = message.partition(" - at `$")
    path = path.rstrip("`")
    value = _at(raw, path)
    got = f" {value!r}" if isinstance(value, str | int | float | bool) else ""
    return f"{where}{path}: {what[0].lower()}{what[1:].replace('`', '')}{got}"


def _at(raw: Any, path: str) -> Any:
    for key in re.findall(r"\.([\w-]+)|\[(\d+)\]", path):
        try:
            raw = raw[key[0]] if key[0] else raw[int(key[1])]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _collect(roots: Iterable[Path], kind: str, card_type: type[Card]) -> dict[str, Found[Card]]:
    found: dict[str, Found[Card]] = {}
    for root in roots:
        for path in sorted((root / kind).glob("*/card.toml")):
            entry = _read(path, card_type)
            taken = found.get(entry.card.id)
            if taken is not None:
                raise CardError(
                    f"{_shown(path)}.id: '{entry.card.id}' is taken by "
                    f"{_shown(taken.folder / 'card.toml')}"
                )
            found[entry.card.id] = entry
    return found


def _read(path: Path, card_type: type[Card]) -> Found[Card]:
    data = path.read_bytes()
    where = _shown(path)
    card = decode(data, card_type, where)
    if card.id != path.parent.name:
        raise CardError(f"{where}.id: expected the folder's name, {path.parent.name!r}")
    if isinstance(card, TaskCard):
        _check_task(card, where)
    else:
        _check_model(card, where)
    # Absolute: recipes build in a process whose working directory is another one.
    folder = path.parent.resolve()
    return Found(card=card, folder=folder, sha256=hashlib.sha256(data).hexdigest())


def _check_task(card: TaskCard, where: str) -> None:
    _unique([label.id for label in card.labels], f"{where}.labels", "id")
    _unique([label.words for label in card.labels], f"{where}.labels", "words")
    _unique([file.name for file in card.files], f"{where}.files", "name")
    if (card.split.kind == "folds") != (card.split.folds is not None):
        raise CardError(f"{where}.split.folds: expected with kind 'folds', and only there")
    if card.prompt is None and card.modality == "text" and card.answers == "label":
        raise CardError(f"{where}.prompt: expected one; a text can be sorted by a generalist")
    for index, text in enumerate(card.prompt.paraphrases if card.prompt else ()):
        if text.count("{labels}") != bool(card.labels) or text.count("{text}") != 1:
            places = "{labels} and {text} once each" if card.labels else "{text} once"
            raise CardError(f"{where}.prompt.paraphrases[{index}]: expected {places}")
        if card.labels and text.index("{labels}") > text.index("{text}"):
            raise CardError(
                f"{where}.prompt.paraphrases[{index}]: expected {{labels}} before {{text}}, "
                "so that its cache serves every item"
            )


def _check_model(card: ModelCard, where: str) -> None:
    _unique([variant.id for variant in card.variants], f"{where}.variants", "id")
    _unique([stage.id for stage in card.stages], f"{where}.stages", "id")
    _unique([file.name for file in card.files], f"{where}.files", "name")
    stages = {stage.id for stage in card.stages}
    variants = {variant.id for variant in card.variants}
    for index, stage in enumerate(card.stages):
        earlier = {other.id for other in card.stages[:index]}
        if stage.base is not None and stage.base not in earlier:
            raise CardError(f"{where}.stages[{index}].base: expected an earlier stage's id")
    for index, variant in enumerate(card.variants):
        if variant.base is not None and variant.base not in stages:
            raise CardError(f"{where}.variants[{index}].base: expected a stage's id")
        if variant.parent is not None and variant.parent not in variants - {variant.id}:
            raise CardError(f"{where}.variants[{index}].parent: expected another variant's id")


def _unique(values: Sequence[str], where: str, key: str) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise CardError(f"{where}: {key} {twice[0]!r} stands twice")


def _package_roots() -> list[Path]:
    """Return the folders of packages that registered cards by entry point."""
    return [Path(str(files(point.value))) for point in entry_points(group="steelyard.cards")]


def _shown(path: Path) -> str:
    """Name a card file by its last three parts: `models/kws-small/card.toml`."""
    return "/".join(path.parts[-3:])


_T = TypeVar("_T")


def _named(table: dict[str, _T], name: str, what: str) -> _T:
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, table, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(sorted(table))}"
    raise UnknownNameError(f"no {what} '{name}'{hint}")
