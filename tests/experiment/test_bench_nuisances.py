"""Corpus and language read from source and target together."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from xlser.evaluation.nuisance import probe
from xlser.experiment.bench import nuisances
from xlser.experiment.bench.nuisances import origins
from xlser.experiment.cases import HELD_OUT, TARGET, Case
from xlser.experiment.corpora import find_corpus, read_corpora
from xlser.experiment.readers import Reader
from xlser.experiment.seeds import make_seeds


@dataclass(frozen=True)
class Noise:
    """A system whose embedding tells the corpus by ``shift`` and nothing else."""

    seed: object
    shift: float = 0.0
    method: str = "noise"

    def embed(self, case):
        rng = np.random.default_rng([self.seed.number, len(case.corpus.frame), len(case.role)])
        return rng.normal(size=(len(case.corpus.frame), 4)) + self.shift * (case.role == TARGET)


@pytest.fixture
def corpora(recipe, place):
    return [read_corpora(find_corpus(name, place), recipe, place) for name in ("synthetic-de", "synthetic-tr")]


def readers(recipe, source, shift=0.0):
    return [Reader(Noise(seed, shift), None, None, {}, None) for seed in make_seeds(recipe, source)]


def both(source, target):
    return Case(source, HELD_OUT, "source"), Case(target, TARGET, "corpus")


def test_it_is_the_probe_of_held_out_clips_and_target_clips_with_speakers_apart(recipe, corpora, monkeypatch):
    monkeypatch.setattr(nuisances, "MOST", 10**6)
    source, target = corpora
    home, case = both(source, target)
    found = readers(recipe, source, 1.0)
    rows, held = origins(found, home, case), found[0].seed.split.test
    embedded = np.concatenate([found[0].system.embed(home)[held], found[0].system.embed(case)])
    who = [f"de {name}" for name in source.frame["speaker"].to_numpy()[held]]
    who += [f"tr {name}" for name in target.frame["speaker"]]
    expected = probe(embedded, ["de"] * len(held) + ["tr"] * len(target.frame), who)
    assert [row["nuisance"] for row in rows] == ["corpus, source and target", "language, source and target"]
    for row in rows:
        assert (row["method"], row["corpus"]) == ("noise", "synthetic-tr")
        assert {name: row[name] for name in expected} == expected
    assert set(source.frame["speaker"]) & set(target.frame["speaker"]), "the same names on both sides"


def test_what_differs_is_told_and_what_does_not_is_not(recipe, corpora):
    source, target = corpora
    told, not_told = (origins(readers(recipe, source, shift), *both(source, target))[0] for shift in (5.0, 0.0))
    assert told["value"] == 1.0
    assert not_told["low"] < 0.5
    assert not_told["value"] < 0.6


def test_a_side_takes_part_with_so_many_clips_and_the_same_each_time(recipe, corpora, monkeypatch):
    source, target = corpora
    monkeypatch.setattr(nuisances, "MOST", 10)
    rows = [origins(readers(recipe, source, 0.5), *both(source, target)) for _ in range(2)]
    assert rows[0] == rows[1]
    assert {row["rows"] for row in rows[0]} == {20}


def twin_of(corpus):
    """The same recordings under another corpus's name."""
    facts, frame = replace(corpus.dataset.facts, name="twin"), corpus.frame.assign(corpus="twin")
    dataset = replace(corpus.dataset, facts=facts, manifest=replace(corpus.dataset.manifest, frame=frame))
    return replace(corpus, dataset=dataset)


def test_parts_of_a_joined_source_are_corpora_of_their_own(recipe, corpora, place):
    joined = read_corpora(find_corpus("synthetic-de+synthetic-tr", place), recipe, place)
    source, twin = joined, twin_of(corpora[1])
    home, case = both(source, twin)
    found = readers(recipe, source, 1.0)
    held = np.flatnonzero(home.judged(found[0].seed))
    parts, turkish = source.frame["corpus"].to_numpy(str)[held], np.full(len(twin.frame), "tr")
    corpus, language = origins(found, home, case)
    assert set(parts) == {"synthetic-de", "synthetic-tr"}
    embedded = np.concatenate([found[0].system.embed(home)[held], found[0].system.embed(case)])
    who = np.concatenate([source.frame["speaker"].to_numpy(str)[held], "twin/" + twin.frame["speaker"].to_numpy(str)])
    for row, labels in ((corpus, [*parts, *["twin"] * len(turkish)]), (language, [*(p[-2:] for p in parts), *turkish])):
        expected = probe(embedded, labels, who)
        assert {name: row[name] for name in ("classes", "speakers", "rows")} == {
            name: expected[name] for name in ("classes", "speakers", "rows")
        }
        assert row["value"] == pytest.approx(expected["value"], nan_ok=True)
    # Turkish has one held-out speaker on the source's side, too few for a corpus, but the twin speaks it too.
    assert (corpus["classes"], language["classes"]) == (2, 2)


def test_one_language_is_no_question(recipe, corpora):
    source = corpora[0]
    corpus, language = origins(readers(recipe, source, 5.0), *both(source, twin_of(source)))
    assert corpus["value"] == 1.0
    assert np.isnan(language["value"])
    assert language["why"] == "fewer than two classes that two speakers have"


def test_the_sources_own_cell_has_nobody_to_be_told_from(recipe, corpora):
    home, _ = both(*corpora)
    assert origins(readers(recipe, corpora[0]), home, home) == []
