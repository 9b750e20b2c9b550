"""What a bench is to do: recipes x sources, each scored on targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xlser.corpora.card import card_paths
from xlser.errors import RecipeError
from xlser.evaluation.adaptations import make_adaptation, written
from xlser.experiment.corpora import AnyRecipe, corpus_languages, corpus_name, corpus_texts
from xlser.experiment.workplace import Workplace
from xlser.filenames import path_part
from xlser.schema import validate

LEAVE_OUT = ("leave-one-corpus-out", "leave-one-language-out")


@dataclass(frozen=True)
class Job:
    """One recipe on one source: trained once below ``folder``, scored on every target.

    ``few_shot`` lists k, ``adapt`` what is tried to make up for the shift of a target. ``pretended``: its targets are
    corpora of other jobs' sources, left out to choose by (see `xlser.experiment.bench.pretend`), and are only scored.
    """

    recipe: AnyRecipe
    folder: Path
    few_shot: tuple[int, ...] = ()
    adapt: tuple[str, ...] = ()
    pretended: bool = False

    @property
    def name(self) -> str:
        """What it is called in messages."""
        name = f"{self.recipe.name} on {called(self.recipe.source)}"
        return f"{name}, to choose" if self.pretended else name


def make_jobs(
    recipes: Sequence[AnyRecipe],
    sources: Sequence[str],
    targets: Sequence[str],
    out: Path,
    *,
    seeds: int | None = None,
    few_shot: Sequence[int] = (),
    adapt: Sequence[str] = (),
) -> list[Job]:
    """Return a job for every recipe and source; a source is never its own target, nor a part of it.

    Raises:
        RecipeError: two recipes of one name, or a corpus that is joined with
            itself; or there is nothing to do. CardError: no such corpus.
    """
    _check_names([recipe.name for recipe in recipes])
    ks, jobs = tuple(sorted(set(few_shot))), []
    by_name = {called(source): source for source in sources}
    for recipe in recipes:
        for name, source in by_name.items():
            others = tuple(target for target in targets if not set(_parts(target)) & set(_parts(source)))
            if others:
                own = _changed(recipe, source, others, seeds)
                ways = tuple(dict.fromkeys([*recipe_adaptations(recipe), *adapt]))
                jobs.append(Job(own, out / "jobs" / recipe.name / name, ks, ways))
    if not jobs:
        raise RecipeError("the bench has nothing to do: every target is a source of its own only. Name more targets.")
    return jobs


def expand_sources(texts: Sequence[str]) -> list[str]:
    """Return the sources that are named: corpora, sets such as ``emodb+ravdess``, and all but one of them.

    ``leave-one-corpus-out`` beside corpora stands for all of them but one, each in turn; ``leave-one-language-out`` for
    those of all languages but one (American and British English are one language).

    Raises:
        CardError: no such corpus. RecipeError: fewer than three corpora (languages) to leave one of out.

    >>> expand_sources(["emodb", "urdu", "ravdess", "leave-one-corpus-out"])[3:]
    ['urdu+ravdess', 'emodb+ravdess', 'emodb+urdu']
    """
    found = list(dict.fromkeys(text for text in texts if text not in LEAVE_OUT))
    corpora = list(dict.fromkeys(part for text in found for part in corpus_texts(text)))
    languages = {name: [tag.split("-")[0] for tag in corpus_languages(name)] for name in corpora}
    for text in dict.fromkeys(texts):
        if text in LEAVE_OUT:
            keys = languages if text == "leave-one-language-out" else {name: [name] for name in corpora}
            found += _left_out(corpora, keys, text)
    return list(dict.fromkeys(found))


def find_targets(texts: Sequence[str], sources: Sequence[str], place: Workplace) -> list[str]:
    """Return the targets that are named; ``all`` are the parts of all sources, and all corpora that have a folder."""
    if list(texts) != ["all"]:
        return list(dict.fromkeys(texts))
    parts = [part for source in sources for part in corpus_texts(source)]
    named = {"+".join(_parts(part)) for part in parts}
    there = [name for name in card_paths() if name not in named and _has_folder(name, place)]
    return list(dict.fromkeys([*parts, *there]))


def called(corpus: str) -> str:
    """Return what a corpus is called by its card, or its cards: ``greek`` for ``./greek.yaml``."""
    return path_part("+".join(_parts(corpus)), "the name of a joined corpus", RecipeError)


def _parts(corpus: str) -> list[str]:
    """Return the names on the cards of ``emodb+ravdess``, or of ``my/card.yaml`` or ``my/table.parquet``."""
    names = [name for part in corpus_texts(corpus) for name in corpus_name(part).split("+")]
    if len(set(names)) < len(names):
        raise RecipeError(f"{corpus} joins a corpus with itself. Name each of them once.")
    return names


def _check_names(names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise RecipeError(f"recipes of a bench must have different names, but are called {', '.join(names)}.")


def _has_folder(name: str, place: Workplace) -> bool:
    folder = place.roots.get(name) or (place.data_root and place.data_root / name)
    return bool(folder) and Path(folder).expanduser().is_dir()


def _left_out(corpora: list[str], keys: dict[str, list[str]], text: str) -> list[str]:
    several = list(dict.fromkeys(key for name in corpora for key in keys[name]))
    if len(several) < 3:
        raise RecipeError(f"--sources {text} needs at least three of them, but finds {', '.join(several)}.")
    left = ["+".join(name for name in corpora if out not in keys[name]) for out in several]
    return [source for source in left if source]


def _changed(recipe: AnyRecipe, source: str, targets: tuple[str, ...], seeds: int | None) -> AnyRecipe:
    values = recipe.model_dump(mode="json") | {"source": source, "targets": targets}
    if seeds:
        values["training"] = values["training"] | {"seeds": seeds}
    return validate(type(recipe), values, f"recipe {recipe.name} with source {source}", RecipeError)


def recipe_adaptations(recipe: AnyRecipe) -> tuple[str, ...]:
    """Return the chain of adaptations that a recipe asks for, if any.

    Raises:
        RecipeError: it has a step that there is none of, or a step has no such option.
    """
    if not recipe.adapt:
        return ()
    try:
        return (written(make_adaptation(recipe.adapt)),)
    except RecipeError as error:
        raise RecipeError(f"recipe {recipe.name}: adapt: {error}") from None


def parse_adapt(texts: Sequence[str]) -> tuple[str, ...]:
    """Read names of adaptations, each once.

    Raises:
        RecipeError: there is none of that name.

    >>> parse_adapt(["coral", "prior", "coral"])
    ('coral', 'prior')
    """
    return tuple(dict.fromkeys(written(make_adaptation(text)) for text in texts))


def parse_ks(texts: Sequence[str]) -> tuple[int, ...]:
    """Read numbers of labelled clips a class.

    Raises:
        RecipeError: one is no whole number of at least 1.

    >>> parse_ks(["5", "1"])
    (1, 5)
    """
    bad = [text for text in texts if not text.isdecimal() or int(text) < 1]
    if bad:
        raise RecipeError(
            f"--few-shot needs whole numbers of at least 1 such as 1,2,5, but is {','.join(texts)} instead."
        )
    return tuple(sorted({int(text) for text in texts}))
