"""Maps of a bench that can be listened to: which clips are copied, where they go, and that pages play them."""

import json
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import soundfile

from xlser.errors import CorpusError, RunError
from xlser.reporting.bench.listen import MOST, SECONDS, chosen, clips_there, copy_clips, links, stem
from xlser.reporting.bench.report import write_bench_report
from xlser.reporting.scatter import Map, coloured_maps
from xlser.reporting.section import Panels, Raw, walk

NAMES = [
    f"{speaker}_{emotion}_{take}" for speaker in ("s1", "s2") for emotion in ("ang", "sad", "neu") for take in "12"
]
EMOTIONS = {"ang": "anger", "sad": "sadness", "neu": None}
EVIL = "toy/<b>\"x' & y</b>"


def point(name, place, method="metric"):
    where = {"x": 0.1 * place, "y": -0.2 * place, "activation": 0.5, "valence": None}
    return {
        "method": method,
        "id": name,
        "emotion": EMOTIONS.get(name.split("_")[1] if "_" in name else "ang"),
        **where,
    }


def cell(source, target, names):
    about = {"corpus": target, "title": f"The {target}", "role": "target", "language": "de", "ratings": "rated"}
    about |= {"synthetic": False, "utterances": 12, "speakers": 2, "licence": "for nobody", "citation": "None 2000"}
    about["labels"] = {"kept": {"anger": 4, "sadness": 4}, "merged": {}, "dropped": {"neutral": 4}}
    empty = ("transfer", "correlation", "confusion", "choices", "notes", "dimensions", "nuisances", "few_shot", "trust")
    row = {"recipe": "a", "source": source, "target": target, "about": about, "normalise": "corpus"}
    row |= {name: [] for name in (*empty, "few_shot_areas")} | {"classes": ["anger", "sadness"]}
    row["baseline"] = {"method": "plain", "readers": {}}
    return row | {"points": [point(n, i, method) for method in ("plain", "metric") for i, n in enumerate(names)]}


@pytest.fixture
def results():
    recipe = {"name": "a", "source": "toy", "targets": []}
    about = {"recipes": {"a": recipe}, "sources": ["toy"], "targets": ["toy"], "few_shot": [], "seeds": 1}
    about |= {"versions": {"xlser": "0"}, "command": "xlser transfer", "finished": "today"}
    empty = {name: [] for name in ("chosen", "matrix", "comparisons", "languages")}
    cells = [cell("toy", "toy", [f"toy/{name}" for name in NAMES])]
    return {"about": about, "failed": {}, "holes": {}, "times": {}, "cells": cells, **empty}


@pytest.fixture
def bench(tmp_path, results):
    """Return a function that writes results into a folder."""

    def write(results=results):
        (tmp_path / "bench").mkdir(exist_ok=True)
        (tmp_path / "bench" / "results.json").write_text(json.dumps(results), encoding="utf-8")
        return tmp_path / "bench"

    return write


@pytest.fixture
def find(make_card, corpus):
    """Find the toy corpus, whose recordings are there; any other name is of a corpus whose folder is missing."""
    card, root = make_card(), corpus(*(f"{name}.wav" for name in NAMES))

    def find(name):
        if name != card.name:
            raise CorpusError(f"where is corpus {name}?")
        return [(card, root)]

    find.root = root
    return find


def page(folder):
    write_bench_report(folder)
    return (folder / "pages" / "a-toy-toy.html").read_text(encoding="utf-8")


def test_pages_of_cells_that_are_gone_are_cleared_away(bench, results):
    results["cells"].append(cell("toy", "other", ["other/s1_ang_1"]))
    results["about"]["targets"].append("other")
    write_bench_report(bench(results))
    (bench(results) / "pages" / "mine.html").write_text("mine")
    assert len(list((bench(results) / "pages").iterdir())) == 3
    results["cells"].pop()
    results["about"]["targets"].pop()
    write_bench_report(bench(results))
    assert {path.name for path in (bench(results) / "pages").iterdir()} == {"a-toy-toy.html", "mine.html"}


def test_every_clip_is_a_short_mono_copy_that_the_page_links_to(bench, find, voice):
    soundfile.write(find.root / f"{NAMES[0]}.wav", voice(6.0, 8000), 8000)
    said = []
    assert copy_clips(bench(), find, say=said.append) == len(NAMES)
    text = page(bench())
    hrefs = re.findall(r'<a href="(\.\./clips/[^"]+)" aria-label="(toy/\w+), ', text)
    assert Counter(name for _, name in hrefs) == {f"toy/{name}": 2 for name in NAMES}
    for href, name in hrefs:
        info = soundfile.info(bench() / "pages" / href)
        assert (info.samplerate, info.channels) == (16_000, 1)
        assert info.duration == pytest.approx(SECONDS if name == f"toy/{NAMES[0]}" else 0.4, abs=0.15)
    assert "12 clips, 12 of them new; licence: CC0" in said[0]
    readme = (bench() / "clips" / "README.txt").read_text(encoding="utf-8")
    assert all("do not publish" in text for text in (said[-1], readme))
    assert "licence: for nobody" in readme


def test_a_page_has_a_player_once_and_only_where_there_is_something_to_play(bench, find):
    assert "<audio" not in page(bench())
    assert 'role="img"' in page(bench())
    copy_clips(bench(), find, say=str)
    text = page(bench())
    assert text.count("<audio") == 1
    scripts = "".join(re.findall(r"<script>(.*?)</script>", text, re.DOTALL))
    assert not re.search(r"https?:|\bfetch\b|import\b", scripts.replace("http://www.w3.org/2000/svg", ""))
    assert len(re.findall(r'<svg[^>]*role="group"[^>]*12 of them can be played', text)) == 2
    assert "can be played</span>" in text
    assert "<audio" not in (bench() / "report.html").read_text(encoding="utf-8")


def test_clips_are_not_made_again_and_links_follow_what_is_there(bench, find):
    copy_clips(bench(), find, say=str)
    before = {path: path.stat().st_mtime_ns for path in (bench() / "clips" / "toy").iterdir()}
    said = []
    copy_clips(bench(), find, say=said.append)
    assert "0 of them new" in said[0]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    gone = next(iter(before))
    gone.unlink()
    text = page(bench())
    assert gone.name not in text
    assert len(set(re.findall(r'<a href="(\.\./clips/toy/[^"]+)', text))) == len(NAMES) - 1


def test_what_is_missing_is_named_and_the_rest_goes_on(bench, find, results):
    results["cells"].append(cell("toy", "gone", ["gone/s1_ang_1"]))
    (find.root / "s1_ang_1.wav").write_text("no sound")
    (find.root / "s1_sad_1.wav").unlink()
    said = []
    assert copy_clips(bench(), find, say=said.append) == len(NAMES) - 2
    assert any(line.startswith("  gone: no clips: where is corpus gone?") for line in said)


def test_a_recording_that_cannot_be_decoded_is_named(bench, find):
    soundfile.write(find.root / "s1_ang_1.wav", [0.0] * 8000, 16_000)
    said = []
    assert copy_clips(bench(), find, say=said.append) == len(NAMES) - 1
    assert said[0].startswith("  toy: left out s1_ang_1.wav: silent")


def test_a_corpus_is_looked_for_as_the_bench_was_given_it(bench, find, results, monkeypatch):
    monkeypatch.setattr("xlser.reporting.bench.listen.load_card", lambda text: SimpleNamespace(name=Path(text).stem))
    results["about"]["recipes"]["a"]["source"], asked = "emodb+my/toy.yaml", []
    copy_clips(bench(), lambda text: asked.append(text) or find("toy"), say=str)
    assert asked == ["my/toy.yaml"]


def test_nothing_to_copy_is_an_error(bench, find, results):
    for row in results["cells"][0]["points"]:
        row["id"] = row["id"].replace("toy/", "gone/")
    with pytest.raises(CorpusError, match="no clip was copied"):
        copy_clips(bench(results), find, say=str)
    assert not (bench() / "clips").exists()
    results["cells"][0].pop("points")
    with pytest.raises(RunError, match="no points"):
        copy_clips(bench(results), find, say=str)


def test_choices_are_spread_as_a_slow_count_would(find):
    frame = pd.DataFrame(
        [(f"{e}{s}{i}", e, s) for e, n in (("a", 9), ("b", 2), ("c", 5)) for s in "xyz" for i in range(n)],
        columns=["id", "emotion", "speaker"],
    )
    taken = chosen(frame, 15)
    assert list(taken["id"]) == list(chosen(frame.sample(frac=1, random_state=1).sort_index(), 15)["id"])
    assert taken["id"].is_unique
    # Five of each emotion; and no speaker of one has two more than another.
    assert dict(taken["emotion"].value_counts()) == {"a": 5, "b": 5, "c": 5}
    for _, speakers in taken.groupby("emotion")["speaker"]:
        counts = [int((speakers == name).sum()) for name in "xyz"]
        assert max(counts) - min(counts) <= 1
    assert len(chosen(frame)) == len(frame) < MOST
    assert len(chosen(pd.concat([frame] * 5, ignore_index=True))) == MOST


def test_joined_corpora_share_the_copies_of_their_parts(tmp_path):
    names = ["emodb/wav/a", "ravdess/b/c"]
    there = {stem(name): f"clips/{stem(name)}.mp3" for name in names}
    joined = {"target": "emodb+ravdess", "points": [point(f"{name.split('/')[0]}/{name}", 0) for name in names]}
    assert links(joined, there) == {
        row["id"]: f"../clips/{stem(row['id'].split('/', 1)[1])}.mp3" for row in joined["points"]
    }
    alone = {"target": "emodb", "points": [point(names[0], 0), point("emodb/wav/other", 0)]}
    assert links(alone, there) == {names[0]: f"../clips/{stem(names[0])}.mp3"}
    assert links(alone, {}) == {}


def test_names_of_clips_are_safe_and_differ_for_every_id(tmp_path):
    names = ["a/../../etc", "a/x y", "a/x_y", "a/X_y", "a/ü", "../a", "a/" + "long" * 99]
    stems = [stem(name) for name in names]
    assert len({name.casefold() for name in stems}) == len(names)
    assert all(re.fullmatch(r"[\w-][\w.-]*/[\w.-]+-[0-9a-f]{8}", name, re.ASCII) for name in stems)
    assert all((tmp_path / name).resolve().is_relative_to(tmp_path) for name in stems)


def test_what_lies_in_the_folder_and_is_no_clip_is_left_alone(tmp_path):
    for name in ("clips/toy/a.mp3", "clips/toy/b.ogg", "clips/toy/.c.mp3.part", "clips/README.txt", "clips/toy/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert clips_there(tmp_path) == {"toy/a": "clips/toy/a.mp3", "toy/b": "clips/toy/b.ogg"}
    assert clips_there(tmp_path / "nowhere") == {}


def svgs(rows, clips=None, **more):
    parts = list(walk(coloured_maps([Map("metric", rows)], clips, **more)))
    return [panel.svg for part in parts if isinstance(part, Panels) for panel in part.panels], parts


def test_names_from_outside_are_escaped_in_links():
    (svg,), _ = svgs([point(EVIL, i) for i in range(3)], {EVIL: '../clips/"><b>'})
    assert "<b>" not in svg
    assert svg.count('aria-label="toy/&lt;b&gt;&#34;x&#39; &amp; y&lt;/b&gt;, anger, activation 0.50"') == 3


def test_a_switch_offers_every_colour_that_is_known_and_no_other():
    rows = [point(f"toy/{i}_ang_1", i) | {"speaker": f"s{i % 2}", "right": i % 2} for i in range(6)]
    (svg,), parts = svgs(rows)
    choice = next(str(part.html) for part in parts if isinstance(part, Raw))
    assert re.findall(r">([\w ]+)</label>", choice) == ["emotion", "activation", "speaker", "right or wrong"]
    colours = [found.split(" ") for found in re.findall(r'data-colours="([^"]+)"', svg)]
    assert {len(found) for found in colours} == {4}
    assert len({found[2] for found in colours}) == 2
    assert [found[3].startswith("o") for found in colours] == [True, False] * 3  # wrong ones are hollow
    _, parts = svgs([row | {"activation": None, "speaker": "", "right": None} for row in rows])
    assert "<input" not in next(str(part.html) for part in parts if isinstance(part, Raw))


@pytest.mark.parametrize(("utterances", "told"), [(12, False), (13, True)])
def test_a_map_of_some_clips_says_how_many(bench, results, utterances, told):
    results["cells"][0]["about"]["utterances"] = utterances
    folder = bench()
    write_bench_report(folder)
    page = next((folder / "pages").glob("*.html")).read_text(encoding="utf-8")
    assert ("12 of its 13 drawn at random" in page) is told


def test_one_dimension_is_spread_so_that_marks_can_be_told_apart():
    (svg,), _ = svgs([point(f"toy/{i}_ang_1", i) | {"x": 0.0, "y": 0.0} for i in range(50)])
    assert len(set(re.findall(r"translate\(([^)]*)\)", svg))) == 50


def test_derived_ratings_are_called_so():
    assert "(derived)" not in svgs([point("toy/a_ang_1", 0)])[0][0]
    assert 'activation 0.50 (derived)"' in svgs([point("toy/a_ang_1", 0)], derived=True)[0][0]
