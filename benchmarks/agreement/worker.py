"""steelyard's own worker, started where it finds the backend of prepared inputs."""

from __future__ import annotations

import sys
from pathlib import Path

from steelyard.worker.__main__ import main

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.exit(main())
