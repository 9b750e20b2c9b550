"""The matrix of a bench: recipes and sources down, targets across, every number with its interval."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from markupsafe import Markup

from xlser.reporting.bench.cautions import missing
from xlser.reporting.bench.facts import Bench, Key, Row, reading
from xlser.reporting.section import Cells, Heading, Note, Pairs, Part, Section, Table
from xlser.reporting.wording import bounds, known, number, reader_name, score, side

# Marks a mean of synthetic speech, behind the language's name.
PAPERS = ("matrix.tex", "matrix.md", "few_shot.tex", "few_shot.md")
ALL, SYNTHETIC = "all languages", ", synthetic"
_MAPPED = "The zero-shot embeddings of a target, mapped to the source's {} by its unlabelled recordings."
NOTES = {
    "zero-shot": "Nothing of the target was seen.",
    "transductive": "Unlabelled recordings of the target gave its means and deviations; no label of it was used.",
    "transductive, speakers": "The zero-shot embeddings of a target, each speaker's mapped to the source's means and "
    "deviations by its unlabelled recordings: it must be known who speaks.",
    "transductive, coral": _MAPPED.format("mean and covariance (CORAL)"),
    "transductive, quantile": _MAPPED.format("quantiles, dimension by dimension,"),
    "transductive, prior": "The zero-shot reading, its probabilities corrected for other shares of the emotions, which "
    "are estimated without labels.",
}


@dataclass
class Square:
    """One cell: ``share`` of the way from chance to 1 as its colour, ``side`` of chance that its interval lies on.

    A cell without a number has ``why`` in its place; one that is not asked for has neither.
    """

    text: str = ""
    interval: str = ""
    chance: str = ""
    side: str = ""
    share: float = 0.0
    why: str = ""
    href: str = ""
    marks: tuple[str, ...] = ()


@dataclass
class Line:
    """One recipe on one source: what was chosen, held-out speakers, a square a target, and one a mean."""

    recipe: str
    source: str
    how: str
    held_out: Square
    cells: list[Square]
    means: list[Square]


@dataclass
class Matrix:
    """All lines under one protocol, which ``note`` explains; ``targets`` and ``means`` name the columns."""

    protocol: str
    note: str
    targets: list[str]
    means: list[str]
    lines: dict[str, list[Line]]


def section(bench: Bench) -> Section:
    """Return what validation chose, means by language, and what is missing in the matrix."""
    parts: list[Part] = [_choices(bench), *([means] if (means := _languages(bench)) else [])]
    papers = Markup(", ").join(Markup('<a href="tables/{0}">{0}</a>').format(name) for name in PAPERS)
    parts += [Note(Markup("For a paper: {}.").format(papers))]
    if holes := missing(bench):
        parts += [Heading("Failed jobs and holes", "missing"), Pairs(holes, "missing")]
    return Section("matrix", "What validation chose, and means by language", parts, "Choices")


def _choices(bench: Bench) -> Table:
    rows: list[Cells] = []
    for recipe, source in bench.pairs:
        row, own = bench.chosen(recipe, source), bench.held_out(recipe, source)
        told = [row["method"], reader_name(row["classifier"]), number(row.get("validation"))] if row else ["n/a"] * 3
        rows.append([f"{recipe} on {source}", *told, score(own) if own else "n/a"])
    heads = ["Recipe and source", "Method", "Read by", "UA, validation speakers", "UA, held-out speakers"]
    return Table.of("Chosen on the source's validation speakers, never on a target", heads, rows, copy=True)


def _languages(bench: Bench) -> Table | None:
    """Return the means of languages with more than one corpus, and of all, under the protocols that recipes ask for."""
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in bench.results["languages"]:
        if reading(row) == bench.protocol(row["recipe"]) and row["corpora"] > 1:
            found.setdefault((row["recipe"], row["source"]), {})[_named(row)] = row
    names = list(dict.fromkeys(name for by in found.values() for name in by))
    if not names:
        return None
    rows: list[Cells] = [
        [f"{recipe} on {source}", *(score(by[name]) if name in by else "—" for name in names)]
        for (recipe, source), by in found.items()
    ]
    caption = "Mean UA over the corpora of a language, then over languages; intervals take corpora as independent"
    return Table.of(caption, ["Recipe and source", *names], rows, copy=True)


def usual_chance(found: list[Matrix]) -> str:
    """Return the chance that most cells have; only others are named in theirs."""
    lines = [line for one in found for several in one.lines.values() for line in several]
    every = Counter(square.chance for line in lines for square in (line.held_out, *line.cells) if square.chance)
    return every.most_common(1)[0][0] if every else ""


def matrices(bench: Bench) -> list[Matrix]:
    """Return a matrix a protocol, the one that recipes ask for first."""
    found = []
    for protocol in bench.protocols:
        means = _mean_names(bench, protocol)
        lines = {}
        for recipe in bench.recipes:
            if _reads(bench, recipe, protocol):
                lines[recipe] = [_line(bench, recipe, source, protocol, means) for source in bench.sources]
        found.append(Matrix(protocol, NOTES.get(protocol, ""), bench.targets, means, lines))
    return found


def _reads(bench: Bench, recipe: str, protocol: str) -> bool:
    own = protocol == bench.protocol(recipe)
    return own or any(bench.score(key, protocol) for key in bench.transfers if key[0] == recipe)


def _line(bench: Bench, recipe: str, source: str, protocol: str, means: list[str]) -> Line:
    keys = [(recipe, source, target) for target in bench.targets]
    own = (recipe, source, source)
    return Line(
        recipe,
        source,
        bench.how(recipe, source),
        square_of(bench.held_out(recipe, source), bench.absent(own) or "no score", bench.pages.get(own, "")),
        [_of_target(bench, key, protocol) for key in keys],
        [_mean(bench, recipe, source, protocol, name) for name in means],
    )


def _of_target(bench: Bench, key: Key, protocol: str) -> Square:
    if key[2] in key[1].split("+"):
        return Square()
    row = bench.score(key, protocol)
    why = bench.absent(key) or ("" if row else "no score")
    return square_of(row, why, bench.pages.get(key, ""), tuple(bench.learnt_marks(key)))


def square_of(row: Row | None, why: str, page: str, marks: tuple[str, ...] = ()) -> Square:
    """Return a score as a square, with ``why`` in its place where it is not known."""
    href = f"pages/{page}" if page else ""
    if row is None or not known(row["value"]):
        return Square(why=why, href=href)
    value, chance = row["value"], row.get("chance")
    share = (value - chance) / (1 - chance) if known(chance) and chance < 1 else 0.0
    where = side(row["low"], row["high"], chance)
    interval = bounds(row["low"], row["high"])
    return Square(number(value), interval, number(chance), where, min(max(share, 0.0), 1.0), "", href, marks)


def _mean_names(bench: Bench, protocol: str) -> list[str]:
    """Return the languages that more than one corpus speaks, and all of them; human speech first, then synthetic."""
    rows = [row for row in bench.results["languages"] if reading(row) == protocol]
    adapted = any(name.startswith(f"{protocol}, ") for name in bench.protocols)
    if not rows or (adapted and not any(row.get("normalise") for row in rows)):
        return []  # none, or of readings that must not be pooled
    names = []
    for data in ("real", "synthetic"):
        several = [row for row in rows if row["data"] == data and row["corpora"] > 1]
        spoken = [_named(row) for row in several if row["language"] != ALL]
        names += [*dict.fromkeys(spoken), *dict.fromkeys(_named(row) for row in several if row["language"] == ALL)]
    return names


def _named(row: Row) -> str:
    return row["language"] + (SYNTHETIC if row["data"] == "synthetic" else "")


def _mean(bench: Bench, recipe: str, source: str, protocol: str, name: str) -> Square:
    for row in bench.results["languages"]:
        same = (row["recipe"], row["source"], reading(row), _named(row)) == (recipe, source, protocol, name)
        if same and known(row["value"]):
            return Square(number(row["value"]), bounds(row["low"], row["high"]))
    return Square(why="none")
