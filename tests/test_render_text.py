"""Pictures that other programs draw: TikZ, which pdflatex compiles, and Mermaid, which a browser renders."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import cgcli
from cgcli.ops.table import operations
from cgcli.rendering import tikz
from cgcli.rendering.mermaid import escaped
from tests.command import Capture, cg

PDFLATEX, CHROMIUM, KATEX = map(shutil.which, ("pdflatex", "chromium", "katex"))
HOSTILE = [
    r"\input{/etc/passwd}", "a]b", 'say "hi"', "{", "}", "%", "$x$", "#q", "&", "~^_", "<b>", "a--b", "?`!`", "end",
    "<script>alert(1)</script>", "&#60;", "#35;", "é ß ñ", "θ̄", "日本", "مرحبا", "😀", "|-->|", ";", "`'´", "x\u202ey",
]  # fmt: skip
NAMES = " + ".join(f"`{name.replace('`', '')}`" for name in HOSTILE if name.replace("`", ""))
PROGRAMS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("x", {}, {}),
    ("ln(x1) + x1*x2 - sin(x2)", {"x1": 2, "x2": 5}, {"grad": True, "legend": True, "width": 3.4}),
    (NAMES, {}, {"title": " ".join(HOSTILE), "rankdir": "TB"}),
    ("x = a; while abs(x^2 - a) > 1e-12 { x = (x + a/x)/2 }; x", {"a": 2}, {"grad": True, "theme": "dark"}),
    ("mean((X @ W.T - Y)^2) + where(a > 1, [1, 2], [3, 4]) @ [a, 1]",
     {"X": [[1, 2, 3], [4, 5, 6]], "W": [[1.5, -2, 0.3]] * 9, "Y": [[1] * 9] * 2, "a": -2e-9},
     {"theme": "print", "show": ("value", "grad", "partial", "shape"), "transparent": True}),
    ("g(u) = sin(u)*`%#q`; f(x, y) = g(x)/y + g(x^2); f(a, 2)*g(b)", {"a": 1, "b": 2}, {}),
    ("f(x) = { (sin(x), cos(x)) }; (u, v) = f(`a]b\\`); u*v", {}, {"depth": 0}),
    ("f(x) = tanh(W @ x + b); h = f(x); sum(f(h)^2)*`%#q`",
     {"W": [[1, 2], [3, -1]], "x": [1, 0.5], "b": [0, 1], "%#q": 2}, {"backward": True}),
]  # fmt: skip


def drawn(kind: str, at: int, **options: Any) -> str:
    """A program of the list as a picture."""
    text, values, others = PROGRAMS[at]
    return cgcli.picture(text, values, kind=kind, **others, **options).decode()


@pytest.mark.filterwarnings("ignore::cgcli.errors.CgWarning")
def test_pdflatex_compiles_pictures(tmp_path: Path) -> None:
    """Protects the paper: each picture in a document of its author, one as a document of its own, each sign."""
    if PDFLATEX is None:
        pytest.skip("no pdflatex")
    pictures = [drawn("tex", at) for at in range(len(PROGRAMS))]
    assert all(text.count(r"\begin{tikzpicture}") == 1 and r"\documentclass" not in text for text in pictures)
    signs = sorted({sign for op in operations() for sign in op.label or op.name} | set("".join(HOSTILE)) | {"ᵀ", "≈"})
    words = "\n\n".join(tikz.as_text(f"a{sign}b") for sign in signs)
    body = "\n\n".join([*pictures, words])
    (tmp_path / "all.tex").write_text(
        f"\\documentclass{{article}}\n\\usepackage{{tikz}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n", "utf-8"
    )
    (tmp_path / "alone.tex").write_text("\\pdfobjcompresslevel=0\n" + drawn("tex", 1, standalone=True), "utf-8")
    for name in ("all", "alone"):
        command = [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "-recorder", f"{name}.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-1500:]
        assert "passwd" not in (tmp_path / f"{name}.fls").read_text("utf-8")
        log = (tmp_path / f"{name}.log").read_text("utf-8", "replace")
        assert "Missing character" not in log
        assert "Font Warning" not in log
    (size,) = re.findall(rb"/MediaBox \[0 0 ([\d.]+) [\d.]+\]", (tmp_path / "alone.pdf").read_bytes())
    assert float(size) == pytest.approx(3.4 * 72, abs=0.5)


PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><pre id="said"></pre><script>%s</script><script>
(async () => {
  const texts = %s, said = [];
  mermaid.initialize({startOnLoad: false});
  for (const [at, text] of texts.entries()) {
    try {
      const place = document.createElement("div");
      place.innerHTML = (await mermaid.render("m" + at, text)).svg;
      const read = (kind) => [...place.querySelectorAll(kind)].map((each) => each.innerText || each.textContent);
      document.body.append(place);
      said.push({labels: read(".nodeLabel, .edgeLabel"), scripts: read("script").length});
      place.remove();
    } catch (error) { said.push({labels: ["" + error], scripts: -1}); }
  }
  document.getElementById("said").textContent = JSON.stringify(said);
})();
</script></body></html>
"""


@pytest.mark.filterwarnings("ignore::cgcli.errors.CgWarning")
def test_a_browser_renders_mermaid(tmp_path: Path) -> None:
    """Protects pages and wikis: names show as they are, whatever they mean to Mermaid and to HTML."""
    script = Path(KATEX or "").resolve().parents[1] / "mermaid" / "dist" / "mermaid.min.js"
    if CHROMIUM is None or not script.is_file():
        pytest.skip("no chromium, or no mermaid beside katex")
    texts = json.dumps([drawn("mmd", at) for at in range(len(PROGRAMS))]).replace("</", "<\\/")
    page = tmp_path / "page.html"
    page.write_text(PAGE % (script.read_text("utf-8").replace("</script", "<\\/script"), texts), "utf-8")
    options = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-sync --no-first-run"
    command = [CHROMIUM, *options.split(), f"--user-data-dir={tmp_path / 'user'}", "--virtual-time-budget=20000"]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, check=True, text=True,
                          encoding="utf-8", timeout=120)  # fmt: skip
    said = json.loads(unescape(re.findall(r'<pre id="said">(.*?)</pre>', done.stdout, re.DOTALL)[0]))
    assert [each["scripts"] for each in said] == [0] * len(PROGRAMS), said
    shown = {" ".join(label.split()) for label in said[2]["labels"]}
    assert {" ".join(name.replace("`", "").replace("\u202e", "�").split()) for name in HOSTILE} - shown <= {"", "?!"}
    assert {"10.69 ∂ 1"} <= {" ".join(label.split()[1:]) for label in said[1]["labels"]}


def test_each_class_of_mermaid_has_a_colour() -> None:
    for at in range(len(PROGRAMS)):
        text = drawn("mmd", at, **({} if "theme" in PROGRAMS[at][2] else {"theme": "colorblind"}))
        classes = re.findall(r"^ +classDef \w+ (.*)$", text, re.MULTILINE)
        assert len(classes) == 7
        assert all("color:#" in style.replace("stroke", "") for style in classes)
    assert escaped('<"`\\#;|]') == "#60;#34;#96;#92;#35;#59;#124;#93;"


def test_the_command_writes_both(tmp_path: Path, capsys: Capture) -> None:
    for name in ("a.tex", "a.mmd"):
        assert cg(capsys, "render", "x*y", "x=2", "y=3", "-o", str(tmp_path / name)) == (0, "", "")
    assert (tmp_path / "a.mmd").read_text("utf-8").splitlines()[1] == "flowchart LR"
    assert cg(capsys, "render", "x*y", "--format", "tex", "--standalone").out.startswith(r"\documentclass{article}")
    assert cgcli.picture("x*y", kind="tex").startswith(b"% with")
