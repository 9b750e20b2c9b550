"""What every page has in common: sections of one table, and two writers that show whatever a section is made of."""

import re

import pytest
from markupsafe import Markup

from xlser.reporting import pages
from xlser.reporting.facts import Facts
from xlser.reporting.html import html
from xlser.reporting.report import run_page
from xlser.reporting.section import (
    Box,
    Cell,
    Chip,
    Details,
    Figure,
    Group,
    Heading,
    Headline,
    Legend,
    Note,
    Page,
    Pairs,
    Panel,
    Panels,
    Part,
    Raw,
    Row,
    Section,
    Switch,
    Table,
    Words,
)
from xlser.reporting.text import LABEL, WIDTH, table, text

EVIL = "<b>x & y</b>"
PICTURE = Markup("<svg></svg>")
TABLE = Table(EVIL, [EVIL, "UA"], [Group([Row([EVIL, Cell(EVIL, "[0, 1]", "above", [EVIL], [EVIL])])], Cell(EVIL))])
PARTS = [
    TABLE,
    Note(EVIL),
    Heading(EVIL, marks=[EVIL]),
    Words([(EVIL, EVIL)]),
    Pairs([(EVIL, EVIL)]),
    Panels([Panel(EVIL, [EVIL], PICTURE, more=EVIL)]),
    Legend([(PICTURE, EVIL)]),
    Figure([Note(EVIL)], EVIL, EVIL),
    Details(EVIL, [Note(EVIL)]),
    Box([Note(EVIL)], "two", EVIL),
    Headline(EVIL, [EVIL]),
    Chip(EVIL, EVIL),
    Switch(EVIL, [(EVIL, [Note(EVIL)]), ("b", [])]),
    Raw(PICTURE),
]


def page(*sections):
    return html(Page(EVIL, EVIL, EVIL, EVIL, [EVIL], sections, EVIL))


def test_every_kind_of_part_is_shown_and_escaped_on_a_page():
    assert {type(part) for part in PARTS} == set(Part.__args__)
    for part in PARTS:
        found = page(Section("a", "A", [part])).partition("<main")[2].partition("</main>")[0]
        assert "<b>" not in found
        expected = 1 if isinstance(part, Raw) else 2  # the banner has one
        assert found.count("&lt;b&gt;") >= expected
        assert bool(re.search(r"<svg></svg>", found)) is isinstance(part, Panels | Legend | Raw)


def test_no_section_is_lost_or_out_of_order_and_what_is_left_out_is_said():
    found = page(Section("b", "B", [Note("one")], "Bee"), Section("a", "A", left_out="None was asked for."))
    assert re.findall(r'<section id="(\w+)"', found) == ["b", "a"]
    assert re.findall(r'<a href="#(\w+)">(\w+)</a>', found) == [("b", "Bee"), ("a", "A")]
    assert '<p class="note">None was asked for.</p>' in found


def test_tables_of_a_section_are_known_wherever_they_stand():
    inner = Table.of("inner", ["a"], [["1"]])
    made = Section("a", "A", [TABLE, Box([Details("more", [Figure([inner])])])])
    assert made.tables == [TABLE, inner]


def test_a_section_that_has_nothing_to_say_is_not_there_and_several_of_a_kind_all_are():
    one, two, three = (Section(name, name) for name in "abc")
    makers = (lambda results: one, lambda results: None, lambda results: [two, three])
    assert pages.assemble(makers, {}) == [one, two, three]


def test_a_line_in_the_table_of_pages_is_a_section_of_the_page(results, monkeypatch):
    new = Section("new", "New", [Note("said")])
    monkeypatch.setitem(pages.PAGES, "run", (*pages.PAGES["run"], lambda facts: new))
    assert run_page(Facts(results)).sections[-1].anchor == new.anchor


@pytest.mark.parametrize("side", ["", "across", "above", "below"])
def test_text_has_a_star_where_an_interval_lies_on_one_side(side):
    _, row = table(Table.of("", ["", "UA"], [["plain", Cell("0.50", "[0.4, 0.6]", side)]]))
    assert row == f"plain  0.50{'*' if side in ('above', 'below') else ''} [0.4, 0.6]"


def test_a_wide_table_is_cut_into_pieces_that_hold_every_column_once_and_each_name():
    heads = ["UA", *(f"target-{place}" for place in range(12))]
    lines = table(Table.of("", heads, [["name" * 30, *(f"0.{place:02d} [0.00, 0.00]" for place in range(12))]]))
    assert max(map(len, lines)) <= WIDTH
    assert [part for line in lines for part in re.findall(r"target-\d+", line)] == heads[1:]
    rows = [line for line in lines if line.startswith("name")]
    assert {line[:LABEL].rstrip() for line in rows} == {("name" * 30)[: LABEL - 3] + "~"}
    assert re.findall(r"0\.(\d\d) \[", " ".join(rows)) == [f"{place:02d}" for place in range(12)]


def test_names_that_fit_are_cut_only_where_that_saves_a_piece():
    name, cell = "a name of just thirty-six characters", "0.40 [0.30, 0.50] +0.10*"
    three = table(Table.of("", ["r", "activation", "valence", "dominance"], [[name, cell, cell, cell]]))
    assert [line.startswith(name) for line in three] == [False, True, False, False, True]
    two = table(Table.of("", ["r", "activation", "valence", "mean"], [[name, cell, cell, "0.40 [0.3]"]]))
    assert len(two) == 2
    assert two[1].startswith(name[:30])
    assert "~" in two[1]


def test_rows_of_fewer_cells_and_titles_of_groups_take_no_part_in_the_columns():
    long = "a title that is much longer than any name " * 4
    lines = table(Table("", ["", "UA"], [Group([Row(["a", "0.5"]), Row(["b"])], Cell(long))]))
    assert lines[-2:] == ["  a  0.5", "  b"]
    assert max(map(len, lines)) <= WIDTH


def test_text_shows_words_and_tables_wherever_they_stand_and_no_pictures():
    said = text(
        [Section("a", "A", [Box([Details("more", [TABLE, Note("said")])]), *PARTS[5:7]], left_out="nothing else")]
    )
    assert said.splitlines()[0] == "A"
    assert "said" in said
    assert "svg" not in said
    assert said.endswith("nothing else")
    assert text([Section("a", "", [Note("−0.1 → “x”")])]) == '-0.1 > "x"'


def test_ticks_of_a_terminal_are_quotes_on_a_page_but_for_files_and_scripts():
    kept = "<script>let a = `b`;</script>", "<pre>`c`</pre>"
    parts = [Note("see `xlser <x>`"), Note(Markup("<b>see</b> `this`")), *(Raw(Markup(text)) for text in kept)]
    text = html(Page("t", "k", "h", "", [], [Section("s", "S", parts)], "f"))
    assert "see “xlser &lt;x&gt;”" in text
    assert "<b>see</b> “this”" in text
    assert all(part in text for part in kept)
