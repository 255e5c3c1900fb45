"""What a Jetson says of its release and its power mode. Pure."""

from __future__ import annotations

import re


def release(text: str | None) -> str | None:
    """Read /etc/nv_tegra_release: `# R36 (release), REVISION: 4.3, ...` is `R36.4.3`."""
    found = re.match(r"#\s*R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)", text or "")
    return f"R{found[1]}.{found[2]}" if found else None


def power_mode(answer: str | None) -> str | None:
    """Read `nvpmodel -q`, whose line `NV Power Mode: MAXN` may stand under others."""
    found = re.search(r"^NV Power Mode:[ \t]*(\S+)", answer or "", re.MULTILINE)
    return found[1] if found else None
