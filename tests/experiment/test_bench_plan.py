"""What a bench is to do, before any of it is done."""

from pathlib import Path

import pytest

from xlser.errors import CardError, RecipeError
from xlser.experiment.bench.plan import (
    expand_sources,
    find_targets,
    make_jobs,
    parse_adapt,
    parse_ks,
    recipe_adaptations,
)
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe


def others(jobs):
    return {job.recipe.source: job.recipe.targets for job in jobs}


def test_every_recipe_meets_every_source_and_no_source_its_own_parts(recipe, tmp_path):
    twin = recipe.model_copy(update={"name": "twin"})
    targets = ["emodb", "urdu", "ravdess", "emodb+urdu"]
    jobs = make_jobs([recipe, twin], ["emodb", "urdu+ravdess"], targets, tmp_path, seeds=3, few_shot=(5, 1, 5))
    assert [(job.recipe.name, job.recipe.source) for job in jobs] == [
        (name, source) for name in ("small", "twin") for source in ("emodb", "urdu+ravdess")
    ]
    assert others(jobs) == {"emodb": ("urdu", "ravdess"), "urdu+ravdess": ("emodb",)}
    assert {job.recipe.training.seeds for job in jobs} == {3}
    assert {job.few_shot for job in jobs} == {(1, 5)}
    assert {job.folder for job in jobs} == {
        tmp_path / "jobs" / name / source for name in ("small", "twin") for source in ("emodb", "urdu+ravdess")
    }


def test_a_card_of_ones_own_stays_inside_the_bench_and_is_known_by_its_name(recipe, make_file_card, tmp_path):
    card = str(make_file_card("mine"))
    jobs = make_jobs([recipe], [card, "urdu", "urdu"], [card, "urdu"], tmp_path / "bench")
    assert [job.folder for job in jobs] == [tmp_path / "bench" / "jobs" / "small" / name for name in ("mine", "urdu")]
    assert others(jobs) == {card: ("urdu",), "urdu": (card,)}


@pytest.fixture
def make_file_card(tmp_path):
    def make(name: str) -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(
            f"name: {name}\ntitle: T\nlanguages: [sw]\nlicence: CC0\nelicitation: acted\naudio: '*.wav'\n"
            "grammar: '(?P<speaker>s)_(?P<emotion>a)'\nemotion: {a: anger}\n"
        )
        return path

    return make


@pytest.mark.parametrize("name", ["a/b", "..", "/tmp/x", ""])
def test_a_recipe_whose_name_leads_out_of_the_bench_is_refused(recipe, name, tmp_path):
    with pytest.raises(RecipeError, match="folder"):
        make_jobs([recipe.model_copy(update={"name": name})], ["emodb"], ["urdu"], tmp_path)


def test_recipes_of_one_name_are_refused(recipe, tmp_path):
    with pytest.raises(RecipeError, match="different names, but are called small, small"):
        make_jobs([recipe, recipe], ["emodb"], ["urdu"], tmp_path)


@pytest.mark.parametrize(
    ("sources", "targets", "error", "words"),
    [
        (["emodbb"], ["urdu"], CardError, "did you mean 'emodb'"),
        (["emodb"], ["urduu"], CardError, "did you mean 'urdu'"),
        (["emodb+emodb"], ["urdu"], RecipeError, "joins a corpus with itself"),
        (["emodb"], ["emodb"], RecipeError, "nothing to do"),
        (["emodb"], [], RecipeError, "nothing to do"),
        ([], ["urdu"], RecipeError, "nothing to do"),
    ],
)
def test_what_cannot_be_planned_is_said_at_once(recipe, sources, targets, error, words, tmp_path):
    with pytest.raises(error, match=words):
        make_jobs([recipe], sources, targets, tmp_path)


def test_leaving_one_corpus_out_takes_single_corpora_only():
    found = expand_sources(["emodb", "urdu+ravdess", "leave-one-corpus-out", "emodb"])
    assert found == ["emodb", "urdu+ravdess", "emodb+ravdess", "emodb+urdu"]


def test_leaving_one_language_out_leaves_all_its_corpora_out():
    # ravdess and synthetic-en are both English
    found = expand_sources(["emodb", "urdu", "ravdess", "synthetic-en", "leave-one-language-out"])
    assert found[4:] == ["urdu+ravdess+synthetic-en", "emodb+ravdess+synthetic-en", "emodb+urdu"]


@pytest.mark.parametrize("texts", [["emodb", "urdu"], ["emodb"], []])
def test_nothing_can_be_left_out_of_two(texts):
    with pytest.raises(RecipeError, match="at least three"):
        expand_sources([*texts, "leave-one-corpus-out"])


def test_three_corpora_of_two_languages_have_no_language_to_spare():
    with pytest.raises(RecipeError, match="at least three of them, but finds en, de"):
        expand_sources(["ravdess", "synthetic-en", "emodb", "leave-one-language-out"])


def test_a_source_that_is_not_known_is_named():
    with pytest.raises(CardError, match="did you mean 'emodb'"):
        expand_sources(["emodbb"])


def test_all_targets_are_the_sources_and_what_has_a_folder(tmp_path, make_file_card):
    (tmp_path / "ravdess").mkdir()
    (tmp_path / "urdu").write_text("a file is no corpus")
    elsewhere = tmp_path / "far" / "away"
    elsewhere.mkdir(parents=True)
    place = Workplace(tmp_path, {"emodb": elsewhere, "iemocap": tmp_path / "nowhere"})
    mine = str(make_file_card("mine"))
    assert find_targets(["all"], ["synthetic-de+ravdess", mine], place) == ["synthetic-de", "ravdess", mine, "emodb"]
    assert find_targets(["urdu", "emodb", "urdu"], ["emodb"], place) == ["urdu", "emodb"]


@pytest.mark.parametrize("texts", [["0"], ["-1"], ["1.5"], ["five"], ["5", "x"], ["²"]])
def test_numbers_of_clips_are_whole_and_positive(texts):
    with pytest.raises(RecipeError, match="whole numbers of at least 1"):
        parse_ks(texts)


def test_only_adaptations_that_there_are():
    assert parse_adapt([]) == ()
    with pytest.raises(RecipeError, match=r"corall.*coral"):
        parse_adapt(["prior", "corall"])


def test_a_recipe_spells_a_chain_and_an_old_recipe_keeps_its_hash():
    about = {"name": "r", "source": "synthetic-de", "targets": ["synthetic-tr"]}
    steps = [{"speaker-statistics": {"shrink": 5}}, {"prior": "uniform"}, "gaussian-em"]
    plain, made = Recipe(**about), Recipe(**about, adapt=steps)
    assert recipe_adaptations(made) == ("speaker-statistics:shrink=5|prior=uniform|gaussian-em",)
    assert recipe_adaptations(plain) == ()
    assert "adapt" not in plain.model_dump()
    assert Recipe(**made.model_dump()) == made
    assert made.hash != plain.hash
    (job,) = make_jobs([made], ["synthetic-de"], ["synthetic-tr"], Path("out"), adapt=("coral",))
    assert job.adapt == ("speaker-statistics:shrink=5|prior=uniform|gaussian-em", "coral")
    with pytest.raises(RecipeError, match="recipe r: adapt: no adaptation is named 'corall'"):
        recipe_adaptations(Recipe(**about, adapt=["corall"]))
