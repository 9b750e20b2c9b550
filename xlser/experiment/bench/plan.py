"""What a bench is to do: recipes x sources, each scored on targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xlser.corpora.card import card_paths, load_card
from xlser.errors import CorpusError, RecipeError
from xlser.experiment.corpora import AnyRecipe
from xlser.experiment.workplace import Workplace
from xlser.schema import validate

LEAVE_OUT = ("leave-one-corpus-out", "leave-one-language-out")


@dataclass(frozen=True)
class Job:
    """One recipe on one source: trained once below ``folder``, scored on every target. ``few_shot`` lists k."""

    recipe: AnyRecipe
    folder: Path
    few_shot: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.recipe.name} on {self.recipe.source}"


def make_jobs(
    recipes: Sequence[AnyRecipe],
    sources: Sequence[str],
    targets: Sequence[str],
    out: Path,
    *,
    seeds: int | None = None,
    few_shot: Sequence[int] = (),
) -> list[Job]:
    """Return a job for every recipe and source; a source is never its own target, nor a part of it.

    Raises:
        RecipeError: two recipes of one name, or a recipe that does not allow the number of seeds. CardError: no such
            corpus.
    """
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise RecipeError(f"recipes of a bench must have different names, but are called {', '.join(names)}.")
    jobs = []
    for recipe in recipes:
        for source in sources:
            others = tuple(name for name in targets if name not in source.split("+"))
            if others:
                own = _changed(recipe, source, others, seeds)
                jobs.append(Job(own, out / "jobs" / recipe.name / source, tuple(sorted(set(few_shot)))))
    if not jobs:
        raise RecipeError("the bench has nothing to do: every target is a source of its own only. Name more targets.")
    return jobs


def expand_sources(texts: Sequence[str]) -> list[str]:
    """Return the sources that are named: corpora, sets such as ``emodb+ravdess``, and all but one of them.

    ``leave-one-corpus-out`` beside corpora stands for all of them but one, each in turn; ``leave-one-language-out`` for
    those of all languages but one.

    Raises:
        CardError: no such corpus. RecipeError: fewer than three corpora (languages) to leave one of out.

    >>> expand_sources(["emodb", "urdu", "ravdess", "leave-one-corpus-out"])[3:]
    ['urdu+ravdess', 'emodb+ravdess', 'emodb+urdu']
    """
    corpora = list(dict.fromkeys(text for text in texts if text not in LEAVE_OUT))
    languages = {name: load_card(name.split("+")[0]).languages[0] for name in corpora}
    found = list(corpora)
    for text in dict.fromkeys(texts):
        if text in LEAVE_OUT:
            keys = languages if text == "leave-one-language-out" else {name: name for name in corpora}
            found += _left_out(corpora, keys, text)
    return list(dict.fromkeys(found))


def find_targets(texts: Sequence[str], sources: Sequence[str], place: Workplace) -> list[str]:
    """Return the targets that are named; ``all`` are all corpora that have a folder, and all sources.

    Raises:
        CorpusError: ``all``, and there is none.
    """
    if list(texts) != ["all"]:
        return list(dict.fromkeys(texts))
    parts = [part for source in sources for part in source.split("+")]
    there = [name for name in card_paths() if _has_folder(name, place)]
    found = list(dict.fromkeys([*parts, *there]))
    if not found:
        raise CorpusError("--targets all: no corpus was found. Give --data-root DIR, or name the targets.")
    return found


def _has_folder(name: str, place: Workplace) -> bool:
    folder = place.roots.get(name) or (place.data_root and place.data_root / name)
    return bool(folder) and Path(folder).expanduser().is_dir()


def _left_out(corpora: list[str], keys: dict[str, str], text: str) -> list[str]:
    several = list(dict.fromkeys(keys.values()))
    if len(several) < 3:
        raise RecipeError(f"--sources {text} needs at least three of them, but finds {', '.join(several)}.")
    return ["+".join(name for name in corpora if keys[name] != out) for out in several]


def _changed(recipe: AnyRecipe, source: str, targets: tuple[str, ...], seeds: int | None) -> AnyRecipe:
    values = recipe.model_dump(mode="json") | {"source": source, "targets": targets}
    if seeds:
        values["training"] = values["training"] | {"seeds": seeds}
    return validate(type(recipe), values, f"recipe {recipe.name} with source {source}", RecipeError)


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
