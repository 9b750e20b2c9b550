"""What is shown of texts from outside: nothing acts on a terminal, a page or a spreadsheet; programs get it exactly."""

import io
import json
import subprocess
import sys
import unicodedata

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlser import csvcells
from xlser.bars import tqdm
from xlser.printable import VisibleStream, one_line, visible
from xlser.reporting.bench.latex import escape
from xlser.reporting.html import html
from xlser.reporting.section import Page, Section, Table
from xlser.reporting.text import text as as_text

TERMINAL = [
    "\x1b[2J\x1b[31mred",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x1b]8;;http://x\x1b\\link",
    "\x9b31m",
    "a\bb",
    "a\rb",
    "a\x7f",
]
HIDDEN = [
    "\u202egnp.exe",
    "\u2066x\u2069",
    "a\u200bb",
    "\u200f\u061c",
    "x\ufeff",
    "\u00ad-",
    "\U000e0041",
    "a\u2028b",
    "a\x85b",
]
LETTERS = st.text(st.characters(codec="utf-8"), max_size=30)


def acts(text):
    """Name the letters of a text that would act: by what Unicode says of them, not by xlser's list."""
    return [
        letter
        for letter in text.replace("\r\n", "").replace("\n", "").replace("\t", "")
        if unicodedata.category(letter) in ("Cc", "Zl", "Zp") or unicodedata.bidirectional(letter) in BIDI
    ]


BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


@pytest.mark.parametrize("name", [*TERMINAL, *HIDDEN])
def test_no_hostile_name_acts_where_it_is_shown(name):
    below = io.StringIO()
    print(f"error: {name}: not there", file=VisibleStream(below))
    tqdm(total=1, desc=name, file=VisibleStream(below)).close()
    section = Section("one", name, [Table.of("", [name, "b"], [[name, "1"]])])
    page = html(Page(name, "kind", name, name, [name], [section], name))
    shown = as_text([section])
    bars = below.getvalue().replace("\r", "")
    for text in (bars, page, shown, escape(name)):
        assert not acts(text)
        assert name not in text


def test_what_people_write_is_left_as_it_is():
    for text in ("café", "شادی", "می‌خواهم", "कष्ट", "क्‍ष", "👩‍👩‍👧", "Müller-Lüdenscheidt", "喜び", "ไทย", "a\nb\tc\r\n"):
        assert visible(text) == text
    assert visible("admin\u200c") != "admin\u200c"  # a joiner beside ASCII joins nothing


@settings(max_examples=300, deadline=None)
@given(LETTERS)
def test_a_line_stays_a_line_and_json_the_same_string(text):
    assert not acts(visible(text))
    assert visible(visible(text)) == visible(text)
    assert len(one_line(text).splitlines()) <= 1
    written = json.dumps({"name": text}, ensure_ascii=False)
    assert json.loads(visible(written)) == {"name": text}


def test_a_message_cannot_forge_a_line_of_its_own(tmp_path):
    name = "x\nDone. All well\x1b[8m\r"
    done = subprocess.run(
        [sys.executable, "-m", "xlser.cli.main", "report", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert not acts(done.stderr)
    assert all(line.startswith(("error: ", "  ")) for line in done.stderr.splitlines())


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(LETTERS.filter(bool), FINITE), min_size=1, max_size=5))
def test_csv_for_people_is_no_formula_and_reads_back_exactly(rows):
    frame = pd.DataFrame(rows, columns=["=name", "value"])
    file = io.StringIO(newline="")
    csvcells.write_frame(frame, file)
    options = {"keep_default_na": False, "na_values": {}, "dtype": {"'=name": str}, "float_precision": "round_trip"}
    raw = pd.read_csv(io.StringIO(file.getvalue(), newline=""), **options)
    for cell in raw["'=name"]:
        assert cell[:1] not in tuple("=+-@\t\r\n") or is_number(cell)
    back = csvcells.exact_frame(raw)
    assert list(back.columns) == ["=name", "value"]
    assert back["=name"].tolist() == frame["=name"].tolist()
    assert back["value"].tolist() == frame["value"].tolist()


def is_number(text):
    """Say whether Python reads a text as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_numbers_stay_numbers():
    file = io.StringIO(newline="")
    rows = csvcells.Writer(file)
    rows.writerow(["-0.3", -0.3, "+0.5", "-1e-05", "=1+1", "@SUM(A1)", "-2+3", "'=1", None])
    rows.writerow(["a\r=b", -1])
    assert file.getvalue() == "-0.3,-0.3,+0.5,-1e-05,'=1+1,'@SUM(A1),'-2+3,''=1,\n" + '"a\r=b",-1\n'
