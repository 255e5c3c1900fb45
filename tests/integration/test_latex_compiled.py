"""The LaTeX that is written, compiled for real: what comes out is what went in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests import toy
from tests.unit.builders import cell
from tests.unit.test_exports import HOSTILE, measured, run

from steelyard.report.exports import latex
from steelyard.report.rows import tables

pytestmark = pytest.mark.skipif(
    shutil.which("pdflatex") is None,
    reason="pdflatex is not installed (Debian: texlive-latex-base, texlive-latex-recommended)",
)

DEFAULT = Path(__file__).resolve().parents[2] / "results" / "default"
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\begin{document}
\input{table.tex}
\end{document}
"""


def compiled(folder: Path) -> str:
    """Compile table.tex in a document; return the log of the second pass, its lines unbroken."""
    (folder / "document.tex").write_text(DOCUMENT)
    for _ in range(2):
        done = subprocess.run(
            ("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape",
             "document.tex"),
            cwd=folder, capture_output=True, timeout=300, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "max_print_line": "1000",
                 "TEXMFVAR": str(folder / "texmf"), "openout_any": "p"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
    return (folder / "document.log").read_text(errors="replace")


def printed(folder: Path) -> str:
    """Return the words of the pages, without the hyphens that end lines; skip without poppler."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian: poppler-utils)")
    done = subprocess.run(
        ("pdftotext", "-layout", "document.pdf", "-"), cwd=folder, capture_output=True, check=True
    )
    # TeX's own fonts draw these two as accents.
    told = done.stdout.decode().replace("\u02c6", "^").replace("\u02dc", "~")
    return " ".join(told.split())


@pytest.mark.skipif(
    not DEFAULT.is_dir(), reason="results/ is not beside an installed wheel's tests"
)
def test_the_published_tables_compile_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "table.tex"
    done = toy.call(tmp_path, "export", "--to", "latex", str(DEFAULT), "-o", str(path))
    assert done.returncode == 0, done.stderr

    log = compiled(tmp_path)

    assert not [line for line in log.splitlines() if "Overfull" in line or "Warning" in line]
    pages = printed(tmp_path)
    assert "Table 1: intent" in pages
    assert "verdict: small wins: minilm-head@fp32 is shown to be at most 1 point worse" in pages
    assert "[0.954,0.980]" in pages


def test_hostile_names_compile_and_are_printed_as_they_are(tmp_path: Path) -> None:
    names = (HOSTILE, r"\input{/etc/passwd}", "50 % & #1 _^~ {}$x$ <|> \"'`", "---,,``''")
    records = [measured(cell=cell(model=name), role="[1cm]*") for name in names]
    text = latex.text(tables([run(*records)]))
    (tmp_path / "table.tex").write_text(text)

    compiled(tmp_path)

    pages = printed(tmp_path)
    assert r"\input{/etc/passwd}@int8" in pages
    # An underscore is a rule in these fonts, no letter: it is seen, not copied.
    assert "50 % & #1 ^~ {}$x$ <|>" in pages
    assert "---,," in pages
    assert "[1cm]*" in pages
