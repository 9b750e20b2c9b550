"""Every shipped card's licence falls on purpose in one row; what is unknown, or contradicts itself, is refused."""

import re

import pytest

from xlser.corpora.card import card_paths, load_card
from xlser.corpora.licences import ALLOWED, NON_COMMERCIAL, REFUSED, TABLE, UNKNOWN, row_of, together

# Read off the cards by hand: a card that changes its licence, or a new one, is decided on here.
CARDS = {
    "no derivatives": "tess",
    "CC BY-NC-SA": "cafe emovo nemo pavoque ravdess",
    "CC BY-NC": "",
    "CC BY-SA": "thai-ser",
    "CC BY": "emouerj kannada mesd oreau quechua-collao subesco",
    "CC0": " ".join(f"synthetic-{name}" for name in ("de", "el", "en", "es", "fr", "it", "tr", "ur")),
    "MIT": "resd",
    "ODbL": "crema-d",
    "non-commercial": "emov-db",
    "research only": "emodb esd iemocap savee urdu",
    "to be signed or paid": "casia msp-improv msp-podcast",
    "contradictory": "emns jl-corpus turev-db",
    "not stated": "aesdd ased baved",
    "elsewhere": "emozionalmente polish shemo",
    "not known": "meld",
}


@pytest.mark.parametrize("name", card_paths())
def test_every_shipped_card_falls_in_the_row_that_is_meant(name):
    (meant,) = [row for row, names in CARDS.items() if name in names.split()]
    assert row_of(load_card(name).licence).name == meant


def test_no_card_fits_two_rows_that_judge_otherwise():
    for name in card_paths():
        text = re.sub(r"[\s_-]+", " ", load_card(name).licence.casefold())
        fitting = [row for row in TABLE if re.match(row.begins, text)]
        assert len({row.verdict for row in fitting if not row.name.startswith("CC BY")}) <= 1


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("cc-by-4.0", ALLOWED),
        ("CC_BY 4.0", ALLOWED),
        ("  Cc By-Nc-Sa 4.0", NON_COMMERCIAL),
        ("CC BY-NC-ND 4.0", REFUSED),
        ("CC BY-ND 4.0", REFUSED),
        ("CC BYE", REFUSED),
        ("MITRE", REFUSED),
        ("MIT for the code", REFUSED),
        ("CC BY 4.0, non-commercial use only", REFUSED),
        ("CC BY 4.0 (a list says non-commercial)", ALLOWED),
        ("CC BY-NC 4.0, academic use", REFUSED),
        ("non-commercial research", REFUSED),
        ("noncommercial use", NON_COMMERCIAL),
        ("free for research", REFUSED),
        ("for academic research", REFUSED),
        ("it is CC BY 4.0", REFUSED),
        ("GPL 3.0", REFUSED),
        ("unknown", REFUSED),
        ("private", REFUSED),
        ("", REFUSED),
        ("   ", REFUSED),
        (None, REFUSED),
    ],
)
def test_what_is_not_clear_is_refused(text, verdict):
    assert row_of(text).verdict == verdict


def test_the_strictest_decides():
    allowed = [("a", "CC0-1.0"), ("b", "MIT"), ("c", "CC BY 4.0")]
    assert (together(allowed).verdict, together(allowed).hub) == (ALLOWED, "cc-by-4.0")
    stricter = together([*allowed, ("d", "CC BY-NC-SA 3.0"), ("e", "cc-by-nc-sa-4.0"), ("f", "CC BY-NC 4.0")])
    assert (stricter.verdict, stricter.hub, stricter.name) == (NON_COMMERCIAL, "cc-by-nc-sa-4.0", "")
    plain = together([*allowed, ("g", "non-commercial (LICENSE)")])
    assert (plain.verdict, plain.hub) == (NON_COMMERCIAL, "other")
    assert "non-commercial" in plain.name
    refused = together([*allowed, ("h", "research only"), ("i", None)])
    assert (refused.verdict, refused.hub) == (REFUSED, "other")
    assert refused.refused == (("h", "research only"), ("i", "not stated"))
    assert together([]).verdict == REFUSED


@pytest.mark.parametrize("pair", [("CC BY-SA 4.0", "CC BY-NC-SA 4.0"), ("CC BY-SA 4.0", "ODbL"), ("ODbL", "CC BY-NC")])
def test_two_that_each_ask_for_their_own_terms_have_none_in_common(pair):
    terms = together(enumerate(pair))
    assert terms.hub == "other"
    assert "-and-" in terms.name


def test_what_no_row_knows_is_refused():
    assert row_of("WTFPL") is UNKNOWN
    assert UNKNOWN.verdict == REFUSED
