"""Which packages a run was made with: versions, and hashes of what their wheels held."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PACKAGES = (
    "steelyard",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "tokenizers",
    "fasttext-predict",
    "msgspec",
)

# What the installer adds to a wheel's own files, different in each environment.
INSTALLERS = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json")


def installed(names: Iterable[str] = PACKAGES) -> dict[str, Distribution]:
    """Return those of `names` that are installed."""
    # Late: who only reads the device need not pay for it.
    from importlib.metadata import PackageNotFoundError, distribution

    found: dict[str, Distribution] = {}
    for name in names:
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
    return found


def wheel_hash(package: Distribution) -> str | None:
    """Return a hash of the wheel that `package` was installed from; None without a RECORD."""
    record = package.read_text("RECORD")
    return record_hash(record) if record else None


def record_hash(record: str) -> str:
    """Return the SHA-256 of the sorted lines of RECORD that came with the wheel.

    Left out is what pip or uv wrote: their notes, compiled files, and scripts, whose first line
    names the environment. So the same wheel has the same hash everywhere.
    """
    lines = (line.strip() for line in record.splitlines())
    kept = sorted(line for line in lines if line and not _added(line.rsplit(",", 2)[0]))
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def _added(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if folder.endswith(".dist-info") and name in INSTALLERS:
        return True
    return path.startswith("../") or name.endswith(".pyc")
