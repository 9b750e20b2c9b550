import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from parsed import Page

from xlser.errors import RunError
from xlser.reporting.facts import Facts
from xlser.reporting.report import write_report
from xlser.reporting.svg import INK


@pytest.fixture
def page(run_dir):
    """Return a function that writes the report of some results and returns its text."""

    def render(results, **options):
        return write_report(run_dir(results, **options)).read_text(encoding="utf-8")

    return render


def plain(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("\u00a0", " ")


def test_loads_nothing_and_holds_no_script_but_its_own(page, results):
    text = page(results)
    parsed = Page(text)
    assert not [tag for tag, _ in parsed.tags if tag in ("link", "iframe", "object", "base")]
    assert [tag for tag, _ in parsed.tags].count("script") == 2
    assert not [value for value in parsed.values("src") + parsed.values("href") if "//" in value]
    assert not re.search(r"@import|@font-face|url\((?!#)", text)


def test_ids_are_unique_and_links_inside_lead_somewhere(page, results):
    parsed = Page(page(results))
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in parsed.values("href") if value.startswith("#")} <= set(ids)


def test_headings_do_not_skip_a_level(page, results):
    levels = [int(tag[1]) for tag, _ in Page(page(results)).tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_tables_have_captions_scopes_and_a_frame_to_scroll_in(page, results):
    parsed = Page(page(results))
    tags = [tag for tag, _ in parsed.tags]
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in attrs for tag, attrs in parsed.tags if tag == "th")
    for attrs in (attrs for _, attrs in parsed.tags if "scroll" in attrs.get("class", "").split()):
        assert (attrs["tabindex"], attrs["role"]) == ("0", "region")
        assert attrs["aria-label"]


def test_figures_are_xml_in_the_colours_of_the_page(page, results):
    text = page(results)
    rest = re.sub(r'<section id="map".*?</section>', "", text, flags=re.DOTALL)
    figures = re.findall(r"<svg.*?</svg>", rest, flags=re.DOTALL)
    # Three of UA, four of correlations, the grid, two of curves.
    assert len(figures) == 10
    for figure in figures:
        assert ElementTree.fromstring(figure).get("aria-label")
        assert "currentColor" in figure
        assert "<style" not in figure
    assert INK not in text


def test_hostile_names_stay_text(page, results):
    evil = "<script>alert('$x$')</script>"
    results["corpora"][1] |= {"corpus": evil, "title": evil, "notes": [evil], "citation": evil}
    results["corpora"][1]["left_out_files"] = {evil: [evil]}
    results["about"]["notes"] = [evil]
    for row in results["transfer"] + results["correlation"] + results["confusion"]:
        row["corpus"] = evil if row["corpus"] == "tgt" else row["corpus"]
        row["method"] = '"><b id="x">&$' if row["method"] == "metric" else row["method"]
    parsed = Page(page(results))
    assert [tag for tag, _ in parsed.tags if tag in ("script", "b")] == ["script"] * 2  # the page's own


def test_every_block_says_its_protocol_and_chance_stands_in_it(page, results):
    text = plain(page(results))
    assert "src (xx) · held-out speakers 2 emotions" in text
    assert "src (xx) · zero-shot" not in text
    assert "tgt (xx) · transductive" in text
    assert text.count("chance 0.50 0.50 0.50") == 4
    assert "plain DAE kNN 0.68 [0.58, 0.78]" in text
    assert "metric kNN 0.68 [0.58, 0.78] +0.10 ▲ [+0.04, +0.16]" in text


def test_synthetic_speech_has_a_banner_and_a_tag_at_every_corpus(page, results):
    assert "Synthetic speech" not in plain(page(results))
    results["about"]["synthetic"] = ["src"]
    results["corpora"][0]["synthetic"] = True
    text = page(results)
    assert "Synthetic speech: no evidence about human emotion." in plain(text)
    assert 'src (xx) · held-out speakers <span class="tag">synthetic</span>' in text
    assert 'tgt (xx) · transductive <span class="tag">learnt from synthetic</span>' in text
    assert "(synthetic speech)</title>" in text


def test_derived_ratings_are_marked_in_card_figure_and_table(page, results):
    results["corpora"][1]["ratings"] = "derived"
    for row in results["correlation"]:
        row["ratings"] = "derived" if row["corpus"] == "tgt" else "rated"
    text = page(results)
    assert '<h3>tgt <span class="tag">derived ratings</span></h3>' in text
    assert re.search(r"<strong>tgt</strong> · activation\s*<span class=\"tag\">derived ratings", text)
    assert 'tgt (xx) · transductive <span class="tag">derived ratings</span>' in text
    assert re.search(r"<text[^>]*>derived ratings</text>", text)


def test_nulls_read_na(page, results):
    for row in results["transfer"] + results["correlation"]:
        row.update(dict.fromkeys(("value", "low", "high", "gain", "gain_low", "gain_high", "seed_sd")))
    text = plain(page(results))
    assert "n/a [n/a]" in text
    assert not re.search(r"\b(nan|None)\b", text)


def test_shared_speakers_are_shown_loudly(page, results):
    assert "shared between parts" not in page(results)
    results["splits"][0]["shared"] = ["b"]
    text = plain(page(results))
    assert "Speakers are shared between parts of the split. Seed 0: b." in text
    assert "Shared between parts: b" in text


@pytest.mark.parametrize(("tested", "known"), [(["b"], True), (["c"], False)])
def test_speakers_that_only_validation_shares_flatter_no_score_on_held_out_ones(page, results, tested, known):
    results["splits"][0] |= {"shared": ["b"], "speakers": {"train": ["a", "b"], "validation": ["b"], "test": tested}}
    text = plain(page(results))
    assert ("are flattered by voices known from training" in text) == known
    assert ("its held-out speakers are not among them" in text) != known


def test_what_was_used(page, results):
    text = plain(page(results))
    for wanted in ("c0ffee", "5a17", "abc123", "xlser run tiny --out here", "calm -> sadness 5".replace(">", "&gt;")):
        assert wanted in text
    assert "too short 22" in text
    assert "and 21 more" in text


def test_no_methods_no_correlations_no_curves(page, results):
    for table in ("transfer", "confusion"):
        results[table] = [row for row in results[table] if row["method"] != "metric"]
    results["correlation"] = results["curves"] = results["choices"] = []
    text = plain(page(results))
    assert "No corpus has ratings on both sides" in text
    assert "Confusion matrices" in text


def test_nothing_at_all_still_makes_a_page(page, results):
    results |= {name: [] for name in ("transfer", "correlation", "confusion", "curves", "choices")}
    assert "No corpus could be classified" in page(results, points=False)


def test_without_points_there_is_no_grid_and_it_says_so(page, results):
    assert "embedding.csv is missing" in page(results, points=False)


@pytest.mark.parametrize(("damage", "told"), [("a,b\n1,2\n", "lacks the columns"), ("", "is damaged")])
def test_a_damaged_grid_does_not_cost_the_report(run_dir, results, damage, told):
    folder = run_dir(results)
    (folder / "embedding.csv").write_text(damage)
    assert told in write_report(folder).read_text(encoding="utf-8")


def test_the_grid_counts_points_without_rating(page, results):
    text = page(results)
    assert "hollow grey rings: 16 dots without a rating." in plain(text)
    assert "beyond the frame" not in plain(text)
    # Once, above the column, and not over the points of each panel.
    assert len(re.findall(r"<text[^>]*>no ratings</text>", text)) == 1


def test_many_corpora_wrap_into_several_grids(page, crowd):
    text = page(crowd)
    grids = re.findall(r'<svg[^>]*aria-label="Grid of[^"]*columns ([^;"]*);', text)
    assert grids == ["src, tgt, more0, more1", "more2, more3, more4, more5"]


def test_labels_of_many_corpora_are_one_table(page, results, crowd):
    text = plain(page(crowd))
    assert "320 of 376 utterances in 8 corpora" in text
    assert "src 40 of 47 5 (calm -&gt; sadness 5) 7 (fear 7) 22 (too short 22)" in text
    assert text.count("7 were dropped") == 0


def test_labels_of_few_corpora_are_sentences(page, results):
    assert "what became of the other labels" not in page(results)


def test_choices_are_said_once_with_a_value_per_seed(page, results):
    choice = results["choices"][0] | {"language": "de", "data": "real", "protocol": "zero-shot"}
    results["choices"] = [
        choice | {"corpus": name, "seed": seed, "role": role, "k": k}
        for name, role in (("src", "source, held-out speakers"), ("tgt", "target"), ("mute", "target"))
        for seed, k in enumerate([9, 9, 5] if name != "mute" else [9, 3, 5])
    ]
    results["choices"].append({"method": "metric", "seed": 0, "reader": "direction of valence", "alpha": 0.1})
    text = plain(page(results))
    assert "plain DAE kNN k 9 9 5 plain DAE kNN k, on mute 9 3 5 metric direction of valence alpha 0.1" in text
    assert text.count("9 9 5") == 1


def test_a_note_that_warns_has_a_banner_and_the_others_stand_first_among_the_cautions(page, results):
    results["about"]["notes"] = ["5 of 10 speakers are ever held out", "WARNING: 3 recordings of tgt are also in src"]
    text = page(results)
    assert '<p class="banner" role="note">WARNING: 3 recordings of tgt are also in src.</p>' in text
    chips = re.findall(r'<details class="chip"><summary>([^<]*)</summary><p>([^<]*)</p>', text)
    assert chips[0] == ("5 of 10 speakers are ever held out", "5 of 10 speakers are ever held out.")


def test_one_speaker_is_no_plural(page, results):
    results["corpora"][1]["speakers"] = 1
    for row in results["transfer"]:
        row["speakers"] = 1 if row["corpus"] == "tgt" else row["speakers"]
    text = plain(page(results))
    assert "2 emotions · 1 speaker · 40 utterances" in text
    assert "47 utterances, 1 speaker," in text
    assert "1 speakers" not in text


def test_epochs_are_whole_numbers(page, results):
    for row in results["curves"]:
        row["curve"] = row["curve"][:2]
        row["best_epoch"] = 2
    text = page(results)
    curve = next(svg for svg in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL) if "Training curves" in svg)
    assert "validation objective" in curve
    assert "1.5<" not in curve[: curve.index("epoch<")]


def test_the_same_files_give_the_same_page(page, results):
    assert page(results) == page(results)


def test_a_run_that_did_not_finish(tmp_path):
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(RunError, match=r"did not finish.*xlser run \.\.\. --out"):
        write_report(tmp_path)


@pytest.mark.parametrize("name", ["", "file", "nowhere"])
def test_what_is_no_run_folder_is_not_called_unfinished(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"^no run folder at ") as error:
        write_report(tmp_path / name)
    assert "did not finish" not in str(error.value)


def test_damaged_json(tmp_path):
    (tmp_path / "results.json").write_text('{"about": ')
    with pytest.raises(RunError, match="is damaged"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_another_version_names_both(run_dir, results):
    results["about"]["versions"]["xlser"] = "9.9"
    del results["splits"], results["transfer"][3]["chance"], results["about"]["protocol"]
    with pytest.raises(RunError, match=r"about\.protocol, splits, transfer\.chance.*xlser 9\.9.*xlser \d"):
        write_report(run_dir(results))


@pytest.mark.parametrize("content", ["[]", "3", '{"about": []}', '{"about": {"versions": 1}}'])
def test_json_of_another_shape(tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(RunError, match=r"results\.json: `"):
        write_report(tmp_path)


def test_the_recipes_own_protocol_comes_first(results):
    assert Facts(results).protocols("tgt") == ["transductive", "zero-shot"]


@pytest.mark.slow
def test_a_run_opens_on_its_answer_in_a_browser(run_dir, results, faults_of):
    assert faults_of(write_report(run_dir(results))) == []
