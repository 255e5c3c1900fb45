"""Tell from what a program said as it died whether it ran out of memory."""

from __future__ import annotations

import re

# All were said by real children under RLIMIT_AS: Python 3.11, numpy 2.4, onnxruntime 1.32 (also on
# pthread_create), tokenizers 0.22.
_SAID = (
    r"\bMemoryError\b",
    r"\bbad_alloc\b",
    r"Failed to allocate memory",
    r"memory allocation of \d+ bytes failed",
    r"Cannot allocate memory",
    r"OpenBLAS error: Memory allocation",
    # torch.OutOfMemoryError, and onnxruntime of CUDA's error 2. Transcribed, not seen.
    r"CUDA out of memory",
    r"CUDA failure 2: out of memory",
)
# These have other causes too where address space is not limited: a folder mounted noexec, a limit
# on processes, a missing library. OpenBLAS ends a process whose threads do not start by SIGINT,
# so that Python says KeyboardInterrupt; the C library loads libgcc to end a thread.
_SAID_UNDER_A_LIMIT = (
    r"failed to map segment from shared object",
    r"pthread_create failed",
    r"libgcc_s\.so\.1 must be installed",
    # Python 3.13, for an extension module whose threads did not start.
    r"SystemError: .* returned NULL without setting an exception",
)
_LONGEST = 200
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def starvation(said: str, *, address_space_limited: bool = False) -> str | None:
    """Return the line in which a program says that memory ran out; None where none does.

    Of a long line only what begins with the telling words.
    """
    words = (*_SAID, *(_SAID_UNDER_A_LIMIT if address_space_limited else ()))
    for line in _COLOUR.sub("", said).splitlines():
        found = re.search("|".join(words), line)
        if found is not None:
            whole = " ".join(line.split())
            return whole if len(whole) <= _LONGEST else line[found.start() :].strip()[:_LONGEST]
    return None
