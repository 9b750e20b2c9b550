"""The one builder of model cards: facts of a model to README.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xlser.corpora.licences import ALLOWED, REFUSED
from xlser.reporting.modelcard.front_matter import front_matter
from xlser.reporting.modelcard.model_facts import CardScore, ModelFacts
from xlser.reporting.pretraining import cautions, lines, warnings
from xlser.reporting.wording import counted, known, listing, number, score

FOLDER = "FOLDER"
_LIBRARIES = ("torch", "transformers", "peft", "scikit-learn", "opensmile", "numpy")


def model_readme(facts: ModelFacts, *, where: str = FOLDER, permitted: str = "") -> str:
    """Return README.md of a model, Markdown with the front matter that the Hugging Face hub reads.

    Args:
        facts: of the model.
        where: what loads it: its folder's place is nobody's business, and so ``FOLDER``, or ``hf:owner/name``.
        permitted: who permits what the licences of its corpora do not; empty for nobody.
    """
    blocks = [
        front_matter(facts, where.removeprefix("hf:") if where != FOLDER else facts.title),
        f"# {facts.title}",
        _what(facts),
        "## How to use it",
        _use(where),
        "## What it was trained on",
        *("\n".join(_corpus(row)) for row in facts.learnt_from),
        *_adapted(facts),
        "## What it may be used for",
        *_permitted(facts, permitted),
        "## What it should not be used for",
        _limits(facts),
        "## How good it is",
        *_results(facts),
        *_made(facts),
        *_checkpoints(facts),
        *(["## Recipe", f"```yaml\n{facts.recipe.rstrip()}\n```"] if facts.recipe else []),
        "## Versions",
        _versions(facts.versions),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _what(facts: ModelFacts) -> str:
    says = [f"which of {listing(facts.classes)} a recording of speech sounds like"] if facts.classes else []
    says += [f"how much {listing(facts.ratings)} it shows"] if facts.ratings else []
    learnt = listing([str(row["corpus"]) for row in facts.learnt_from])
    return f"Says {' and '.join(says)}. It learnt from {learnt}; made by [xlser](https://pypi.org/project/xlser/)."


def _use(where: str) -> str:
    code = ["import xlser", f'model = xlser.load("{where}")', 'print(model.predict("call.wav").probabilities)']
    return (
        "```python\n" + "\n".join(code) + f"\n```\n\nOr `xlser predict {where} RECORDINGS --format csv`, or "
        f"`xlser serve {where}` for a page to speak into. Weights are safetensors: nothing is run that came with them."
    )


def _corpus(row: Mapping[str, Any]) -> Iterator[str]:
    kept = (row.get("labels") or {}).get("kept")
    yield f"- Corpus: {row['corpus']}, {row['title']}" + (", synthetic speech" if row.get("synthetic") else "")
    yield f"- Language: {row['language']}"
    speakers = "speakers who are not known" if row["speakers"] is None else f"{row['speakers']} speakers"
    size = f"- Size: {row['utterances']} utterances of {speakers}"
    yield size + (f"; {counted(kept)}" if kept else "")
    yield f"- Licence: {row.get('licence') or 'not stated'}"
    yield f"- Citation: {row.get('citation') or 'not stated'}"


def _adapted(facts: ModelFacts) -> list[str]:
    if not facts.adapted_to:
        return []
    names = listing([str(row["corpus"]) for row in facts.adapted_to])
    return [f"## What it was adapted to: {names}", *("\n".join(_corpus(row)) for row in facts.adapted_to)]


def _permitted(facts: ModelFacts, permitted: str) -> list[str]:
    terms, every = facts.terms, facts.licences
    texts = {
        ALLOWED: "The licences of all that it was made of let it be shared and used, with the attribution below.",
        REFUSED: "Nobody has said that this model may be shared or used for anything but research of one's own: "
        + "; ".join(f"{name}: {text}" for name, text in terms.refused)
        + ". Ask the owners of these before you pass it on.",
    }
    text = texts.get(terms.verdict, "Non-commercial use only: the licences of what it was made of ask for that.")
    who = f"Passed on as permitted by: {permitted}. Whoever passes it on further needs a permission too."
    table = [
        "| made of | its licence |",
        "|---|---|",
        *(f"| {name} | {text or 'not stated'} |" for name, text in every),
    ]
    smile = (
        "It hears features of openSMILE, which computes them again for every recording: openSMILE is free for research "
        "and teaching, and commercial use of it needs a licence of audEERING."
    )
    return [text, who if permitted else "", "\n".join(table), smile if facts.opensmile else ""]


def _limits(facts: ModelFacts) -> str:
    kinds = {str(row.get("elicitation")) for row in facts.learnt_from if row.get("elicitation")}
    acted = f" ({listing(sorted(kinds))})" if kinds else ""
    synthetic = [str(row["corpus"]) for row in facts.learnt_from if row.get("synthetic")]
    rows = [
        *([f"{listing(synthetic)} is synthetic speech: no evidence about human emotion."] if synthetic else []),
        *(["An encoder of it began with random weights: do not rely on its answers."] if facts.random else []),
        f"It names what speech of its corpora{acted} was labelled as. What a person feels is another thing: do not "
        "decide about people by it, in hiring, school, policing, credit or health.",
        "Speech of another language, microphone, room or age is unlike what it learnt; an answer on it has a warning "
        "at best.",
        *facts.holds,
    ]
    return "\n".join(f"- {row}" for row in rows)


def _results(facts: ModelFacts) -> list[str]:
    table = [
        "| corpus | protocol | UA | chance | plain features |",
        "|---|---|---|---|---|",
        *(_row(one) for one in facts.scores),
    ]
    about = (
        "UA is the mean recall of the emotions, with a 95 % interval over speakers. Zero-shot: nothing of the corpus "
        "was seen; transductive: its unlabelled recordings were looked at together; few-shot k: so many labelled "
        f"recordings an emotion. Plain features: {facts.plain}, read under the same protocol."
    )
    return [
        facts.validation,
        *([f"{chr(10).join(table)}", about] if facts.scores else ["On other corpora it was not scored."]),
        "\n".join(f"- {text}" for text in facts.warned),
    ]


def _row(one: CardScore) -> str:
    protocol = one.protocol + (f", {one.how}" if one.how else "")
    mine, plain = _score(one.value, one.low, one.high), _score(one.plain, one.plain_low, one.plain_high)
    return f"| {one.corpus} | {protocol} | {mine} | {number(one.chance)} | {plain} |"


def _score(value: float, low: float, high: float) -> str:
    return score({"value": value, "low": low, "high": high}) if known(value) else "n/a"


def _made(facts: ModelFacts) -> list[str]:
    table = "\n".join(f"- {name}: {text}" for name, text in facts.made)
    return ["## What it is made of, and how it was chosen", table, "\n".join(f"- {text}" for text in facts.decided)]


def _checkpoints(facts: ModelFacts) -> list[str]:
    if not facts.checkpoints:
        return []
    names = [str(row["corpus"]) for row in facts.learnt_from]
    away = [str(row["corpus"]) for row in facts.adapted_to]
    real = [str(row["corpus"]) for row in (*facts.learnt_from, *facts.adapted_to) if not row.get("synthetic")]
    heard = [*warnings(facts.checkpoints, "+".join(names), away), *cautions(facts.checkpoints, real)]
    # Where it lay on the machine that trained is nobody's business.
    tables = [
        "\n".join(f"- {key}: {text}" for key, text in lines(one) if key != "Asked for") for one in facts.checkpoints
    ]
    return ["## Pretrained checkpoints", *tables, *heard]


def _versions(versions: Mapping[str, str]) -> str:
    names = [name for name in ("xlser", *_LIBRARIES) if name in versions]
    return ", ".join(f"{name} {versions[name]}" for name in names)
