"""What an error of Dask's comes down to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

# Whatever ends a connection, or keeps one from being made.
CUT = (OSError, TimeoutError, asyncio.TimeoutError, RuntimeError, ValueError)
FOREIGN = (
    "the scheduler's certificate is of another authority, or not valid on this machine's date; "
    "use the files that were made together (--certificates)"
)


def said(error: BaseException) -> str:
    """Return the error and all that it came from."""
    return "; ".join(f"{type(one).__name__}: {one}" for one in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that it came from."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__


def foreign(error: BaseException) -> bool:
    """Tell whether the other side's certificate was not believed."""
    text = said(error).lower().replace("_", " ")
    return "certificate verify failed" in text or "unknown ca" in text
