"""Tables for a paper: every text survives, and LaTeX sets them within the page."""

import re
import shutil
import subprocess

import pytest

from xlser.reporting.bench.latex import COLUMNS, ROWS, document, escape, latex
from xlser.reporting.bench.paper import markdown

HARD = ["a_b", "50 %", "R&D #1", "x^2 ~y", r"c:\d{e}", "<b>|$5$", "−0.10 → …", "*star", "[bracket]", "two\n\nlines"]
NUMBER = ("−0.10*", "[−0.20, +0.01]")


def table(names, columns, ways=1):
    """One line a name and way, with this many numbers."""
    heads = ["Recipe", "Way", *(f"k = {count} (synthetic_{count})" for count in range(columns))]
    rows = [[(name, ""), (f"way {way}", ""), *[NUMBER] * columns] for name in names for way in range(ways)]
    return "100 % of a_b & c: * star, R#1.", heads, rows


def unescaped(text):
    """Read escaped text as LaTeX does; nothing that LaTeX would take for its own is left over."""
    signs = {r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"$\rightarrow$": "→"}
    signs |= {"$-$": "−", "---": "—", r"\dots{}": "…", r"\textless{}": "<", r"\textgreater{}": ">"}
    signs |= {r"\textbar{}": "|", "''": '"', "``": "“"}
    signs |= {f"\\{char}": char for char in "&%$#_{}"}
    found = re.split("|".join(map(re.escape, sorted(signs, key=len, reverse=True))), text)
    assert not [part for part in found if re.search(r"[\\&%$#_{}~^<>|\"]", part)]
    return re.sub("|".join(map(re.escape, sorted(signs, key=len, reverse=True))), lambda hit: signs[hit[0]], text)


@pytest.mark.parametrize("text", HARD)
def test_escaped_text_reads_as_it_was_and_holds_no_sign_of_latex(text):
    assert unescaped(escape(text)) == " ".join(text.split())


def test_a_backslash_is_escaped_once():
    assert escape("a\\b_{c}") == r"a\textbackslash{}b\_\{c\}"


@pytest.mark.parametrize("name", ["*star", "[bracket]"])
def test_a_first_name_is_not_taken_for_an_argument_of_the_line_before(name):
    text = latex(*table(["first", name], 1))
    assert f"\n{{}}{name} & " in text
    assert not re.search(r"\\\\\s*[*\[](?!-)", text)


def test_braces_are_paired_and_every_row_has_every_column():
    text = document([table(HARD, 3)])
    bare = re.sub(r"\\\\|\\[{}]", "", text)  # without line breaks, and braces that are printed
    assert bare.count("{") == bare.count("}")
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert [line.count(" & ") for line in rows] == [4] * (1 + len(HARD))


@pytest.mark.parametrize("columns", [1, COLUMNS, COLUMNS + 1, 3 * COLUMNS - 1])
@pytest.mark.parametrize(("names", "ways"), [(1, 1), (ROWS + 1, 1), (7, 6), (2, 2 * ROWS + 1)])
def test_a_table_is_split_into_parts_that_hold_everything_once(columns, names, ways):
    caption, heads, rows = table([f"r{place}" for place in range(names)], columns, ways)
    text = document([(caption, heads, rows)])
    parts = text.split(r"\begin{table}")[1:]
    assert text.count(r"\xlserscore{$-$0.10*}") == columns * names * ways
    for part in parts:
        lines = [line for line in part.split(r"\midrule")[1].splitlines() if line.endswith(r" \\")]
        assert len(lines) <= ROWS
        assert lines[0].count(r"\xlserscore") <= COLUMNS
        assert lines[0].startswith("r")
    assert ("Part 1 of" in text) == (len(parts) > 1)
    wide = -(-columns // COLUMNS)
    assert len(parts) % wide == 0


def test_a_name_of_several_rows_is_written_once():
    text = latex(*table(["one", "two"], 1, ways=3))
    assert text.count("one & ") == text.count("two & ") == 1
    assert text.count(r"\addlinespace") == 1
    assert r"\addlinespace" not in latex(*table(["one", "two"], 1))


def test_the_head_says_what_a_table_needs():
    first, second, *_ = document([table(["a"], 1)]).splitlines()
    assert first == r"% needs \usepackage{booktabs,graphicx}"
    assert second.startswith(r"\providecommand{\xlserscore}")
    assert "does not know (Ω): use LuaLaTeX" in document([table(["aΩ"], 1)]).splitlines()[1]


def test_markdown_keeps_a_row_on_a_line_and_its_pipes():
    lines = markdown(*table(HARD, 2)).splitlines()
    assert len(lines) == 2 + 2 + len(HARD)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines[2:]} == {5}


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
@pytest.mark.parametrize("options", ["", "twocolumn"])
def test_latex_sets_every_table_within_the_page(tmp_path, options):
    tables = [table(HARD, 2), table(["a longer_name & more"], 3 * COLUMNS, ways=2 * ROWS + 5)]
    tables.append(table([f"recipe {place}: one corpus → another one" for place in range(ROWS + 5)], 1))
    (tmp_path / "tables.tex").write_text(document(tables), encoding="utf-8")
    frame = r"\usepackage{booktabs,graphicx}\begin{document}\input{tables}\clearpage\input{tables}\end{document}"
    (tmp_path / "paper.tex").write_text(rf"\documentclass[{options}]{{article}}{frame}", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    # Lines of a caption may be loose; nothing may stick out of the line, or of the page.
    assert not re.search(r"Overfull \\hbox|Float too large|Overfull \\vbox", log)
