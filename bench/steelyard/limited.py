"""Start a program within a limit: `address-space BYTES PROGRAM ...` or `cgroup PROCS PROGRAM ...`.

Run as a file by `python -I -S`, with the standard library only: it is gone within milliseconds, and
the program that takes its place starts with a memory map, and a VmHWM, of its own.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> str:
    """Limit this process and become the program; return only with why that failed."""
    kind, limit, *command = arguments
    try:
        if kind == "cgroup":
            # A 0 stands for the process that writes it (cgroup-v2.rst, cgroup.procs).
            with open(limit, "w", encoding="ascii") as members:  # noqa: PTH123 - pathlib is 5 ms
                members.write("0")
        else:
            resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
        os.execvp(command[0], command)  # noqa: S606 - to become it is the point
    except (OSError, ValueError) as error:
        return f"cannot start {command[0]} within {kind} {limit}: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
