"""DOT text to a picture, the second step: run a layout program and write what it gives.

The program is graphviz-pure, which is installed with cg and draws the same bytes everywhere; or the system's
`dot`, where that was asked for.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import zlib
from functools import partial
from pathlib import Path

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import CgError, MissingProgramError, TooLargeError, UsageError
from cgcli.records import NamedTuple

KINDS = {".png": "png", ".svg": "svg", ".pdf": "pdf", ".dot": "dot", ".gv": "dot"}
DEFAULT_DPI = 192  # twice the 96 dots of a plain screen: crisp on a dense one and on a slide
MIN_DPI, MAX_DPI = 10, 1200
SUFFIXES = {**KINDS, ".json": "json", ".txt": "txt"}
LAYOUTS = ("bundled", "dot")
COLUMN = 8.6 / 2.54  # inches: the width of a paper's column
PAGE = 20 / 2.54  # inches: the height that a picture may have on a page
MAX_LINES = 12_000  # of DOT text, one for each node and edge
SMALL = 200  # lines: so few fit into a PNG whatever they say
MAX_PIXELS = 100_000_000  # of a PNG: 400 MB while it is drawn
MAX_SIDE = 32_000  # pixels; the drawing library's own limit is 32,767
TIMEOUT = 100  # seconds
_PNG, _HEADER = b"\x89PNG\r\n\x1a\n", 33  # how a PNG begins, and where its first chunk ends

_MARGIN = 0.2  # inches, of both sides: the `pad` of the DOT text
_INSTALL = "install Graphviz (https://graphviz.org/download), or write .svg or .png"


class Paper(NamedTuple):
    """What a picture is drawn on.

    width: in inches; None for what it takes. dpi: of a PNG. layout: one of LAYOUTS. font_size: points of its numbers.
    """

    width: float | None = None
    dpi: int | None = None
    layout: str = "bundled"
    font_size: float | None = None

    def check(self) -> None:
        """Raise UsageError for what there is not."""
        if self.layout not in LAYOUTS:
            raise UsageError(f"unknown layout program '{self.layout}'", hint=f"possible: {', '.join(LAYOUTS)}")
        if self.font_size is not None and self.width is not None:
            raise UsageError("a picture has a width or a size of its text, not both")
        if self.dpi is not None and not MIN_DPI <= self.dpi <= MAX_DPI:
            raise UsageError(f"dpi must be from {MIN_DPI} to {MAX_DPI}, not {self.dpi}")


PLAIN = Paper()


def kind_of(path: str | Path) -> str:
    """The format that a file's suffix asks for: png, svg, pdf, dot, json or txt.

    Raises UsageError for any other suffix.
    """
    path = Path(path)
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        what = f"'{path.suffix}' of '{path}'" if path.suffix else f"missing suffix of '{path}'"
        raise UsageError(f"unknown picture format: {what}", hint=f"possible suffixes: {', '.join(SUFFIXES)}")
    return kind


def picture_bytes(dot_text: str, kind: str, *, paper: Paper = PLAIN) -> bytes:
    """The picture of a graph in DOT text; kind: png, svg, pdf or dot, the text itself.

    Raises UsageError for another kind or a wrong dpi, TooLargeError, MissingProgramError,
    and CgError when the layout program fails or takes too long.
    """
    if kind not in KINDS.values():
        raise UsageError(
            f"unknown picture format: '{kind}'", hint=f"possible: {', '.join(dict.fromkeys(SUFFIXES.values()))}"
        )
    paper.check()
    if kind == "dot":
        return dot_text.encode()
    lines = dot_text.count("\n")
    if lines > MAX_LINES:
        raise TooLargeError(
            f"the graph is too large to lay out: {lines} nodes and edges, the limit is {MAX_LINES}",
            hint="write .dot instead, which has no limit",
        )
    program = _program(kind, paper.layout)
    size = () if paper.width is None else (f"-Gsize={paper.width:.4f},1000!",)
    if kind == "pdf":
        # Older Graphviz dates a PDF by the clock. Of the same length: a PDF counts its bytes.
        content = _run(program, dot_text, kind, *size)
        return re.sub(rb"(?<=/CreationDate \(D:)\d{14}", b"19700101000000", content)
    if kind == "svg":
        return _run(program, dot_text, kind, *size)
    fits = lines <= SMALL and paper.dpi is None and paper.width is None  # so no look at its size is needed
    dpi = DEFAULT_DPI if fits else _fitting_dpi(_sizes(_run(program, dot_text, "plain", *size).decode())[0], paper.dpi)
    return _with_resolution(_run(program, dot_text, kind, *size, f"-Gdpi={dpi}"), dpi)


def plain(dot_text: str, layout: str) -> str:
    """Where everything stands, in Graphviz's plain format: its size, then nodes and edges, in inches."""
    return _run(_program("svg", layout), dot_text, "plain").decode()


def inches(dot_texts: Sequence[str], layout: str) -> list[tuple[float, float]]:
    """The width and height that the picture of each graph in DOT text takes, in one run of the layout program.

    Raises what `picture_bytes` raises.
    """
    return _sizes(plain("".join(dot_texts), layout))


def _with_resolution(png: bytes, dpi: int) -> bytes:
    """A PNG that says how many dots of it make an inch, which a page then shows it by."""
    if b"pHYs" in png[:200] or not png.startswith(_PNG):
        return png
    per_metre = round(dpi / 0.0254)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    return png[:_HEADER] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[_HEADER:]


def _program(kind: str, layout: str) -> str:
    """The layout program to run."""
    system = shutil.which("dot")
    if layout == "dot" and system is None:
        raise MissingProgramError("Graphviz's program 'dot' was not found", hint=_INSTALL)
    bundled = None if layout == "dot" or kind == "pdf" else _bundled()
    if bundled or system:
        return bundled or str(system)
    if kind == "pdf" and _bundled():
        raise MissingProgramError("a PDF needs Graphviz's program 'dot', which was not found", hint=_INSTALL)
    raise MissingProgramError(
        f"no program to lay out a picture: neither 'graphviz-pure' nor Graphviz's 'dot' "
        f"was found, and a {kind} needs one",
        hint="pip install graphviz-pure, or install Graphviz (https://graphviz.org/download), or write .dot",
    )


def _bundled() -> str | None:
    """graphviz-pure: beside this Python first, for its folder need not be on the PATH."""
    for folder in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent), None):
        found = shutil.which("graphviz-pure", path=folder)
        if found is not None:
            return found
    return None


def _run(program: str, dot_text: str, kind: str, *options: str) -> bytes:
    """What the layout program writes to its standard output."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0"}  # the same graph, the same PDF, tomorrow too
    try:
        done = _runner(program)(
            [program, "-Kdot", f"-T{kind}", *options],
            input=dot_text.encode(), capture_output=True, timeout=TIMEOUT, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise CgError(
            f"{program} did not finish the picture within {TIMEOUT} seconds",
            hint="write .dot instead, and draw it with another program",
        ) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit code {error.returncode}"
        raise CgError(f"{program} could not draw the picture: {reason}") from error
    except (OSError, RuntimeError) as error:  # the latter is what the package says of a missing program
        raise MissingProgramError(f"cannot run {program}: {error}", hint=_INSTALL) from error
    content: bytes = done.stdout
    if not content:
        raise CgError(f"{program} gave an empty picture")
    return content


def _runner(program: str) -> Callable[..., Any]:
    """What runs a layout program: for Graphviz's own its package, which is slow to import."""
    if Path(program).stem != "dot":
        return partial(subprocess.run, check=True)
    from graphviz.backend import execute

    return partial(execute.run_check, quiet=True)


def _sizes(plain_text: str) -> list[tuple[float, float]]:
    """The width and height of each graph in Graphviz's plain format, which begins with: graph scale width height."""
    sizes = re.findall(r"^graph (\S+) (\S+) (\S+)\r?$", plain_text, re.MULTILINE)
    return [
        (float(scale) * (float(width) + _MARGIN), float(scale) * (float(height) + _MARGIN))
        for scale, width, height in sizes
    ]


def _fitting_dpi(inches: tuple[float, float], dpi: int | None) -> int:
    """The dots per inch to draw with: those asked for, else as many as fit, up to the default."""
    width, height = inches
    largest = min((MAX_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(width, height))
    if int(largest) >= (dpi or MIN_DPI):
        return dpi or min(DEFAULT_DPI, int(largest))
    fewer = f"ask for at most {int(largest)} dpi, or " if int(largest) >= MIN_DPI else ""
    raise TooLargeError(
        f"a PNG of {width * (dpi or MIN_DPI):.0f} x {height * (dpi or MIN_DPI):.0f} pixels is too large",
        hint=f"{fewer}write .svg, which is sharp at every size",
    )
