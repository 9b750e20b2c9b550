"""The matrix of a bench: recipes and sources down, targets across, every number with its interval."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from markupsafe import Markup

from xlser.reporting.bench.cautions import missing
from xlser.reporting.bench.facts import Bench, Key, Row, reading
from xlser.reporting.section import Cell, Group, Heading, Note, Pairs, Part, Raw, Section, Table
from xlser.reporting.section import Row as TableRow
from xlser.reporting.wording import bounds, known, number, side

# Marks a mean of synthetic speech, behind the language's name.
PAPERS = ("matrix.tex", "matrix.md", "few_shot.tex", "few_shot.md")
_SCALE = Markup(
    '<div class="key" role="img" aria-label="Colours: from chance, pale, to a UA of 1, blue"><span>chance</span>'
    '<span class="scale"></span><span>UA 1</span></div>'
)
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

    def cell(self, kind: str, usual: str, failures: set[str]) -> Cell:
        """Return it as a cell of a page, in a column of this kind; a chance that is usual is not named."""
        if self.text:
            more = [f"chance {self.chance}"] if self.chance and self.chance != usual else []
            kind = f"{kind} unsure" if self.side == "across" else kind
            return Cell(self.text, self.interval, self.side, self.marks, more, self.share, self.href, kind.strip())
        if self.why:
            more = ["failed"] if self.why in failures else []
            page = [Markup('<a href="{}">page</a>').format(self.href)] if self.href else []
            return Cell("n/a", more=[*more, *page], kind=f"hole {kind}", hidden=f": {self.why}")
        return Cell("—", kind=f"blank {kind}", hidden="not asked for" if kind else "part of the source")


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
    """Return a matrix a protocol, and what is missing in them."""
    found = matrices(bench)
    usual = usual_chance(found)
    told = f" ({usual} where no other is named)" if usual else ""
    parts: list[Part] = [
        Note(
            "UA on each target of the method and reader that the source's validation speakers chose. ▲ ▼: the whole "
            f"interval lies above or below chance{told}; thin numbers cannot be told from it. A number leads to the "
            "page of its cell."
        ),
        Raw(_SCALE),
    ]
    for matrix in found:
        parts += [Heading(matrix.protocol.capitalize()), Note(matrix.note), _table(bench, matrix, usual)]
    papers = Markup(", ").join(Markup('<a href="tables/{0}">{0}</a>').format(name) for name in PAPERS)
    means = "Means are over corpora of a language, then over languages, and synthetic speech has means of its own; "
    means += "their intervals take corpora as independent."
    parts += [Note(Markup("{} For a paper: {}.").format(means, papers))]
    if holes := missing(bench):
        parts += [Heading("Failed jobs and holes"), Pairs(holes, "missing")]
    return Section("matrix", "Matrix", parts)


def usual_chance(found: list[Matrix]) -> str:
    """Return the chance that most cells have; only others are named in theirs."""
    lines = [line for one in found for several in one.lines.values() for line in several]
    every = Counter(square.chance for line in lines for square in (line.held_out, *line.cells) if square.chance)
    return every.most_common(1)[0][0] if every else ""


def _table(bench: Bench, matrix: Matrix, usual: str) -> Table:
    failures = set(bench.results["failed"].values())
    targets = [Cell(name, bench.language(name), marks=bench.speech_marks(name)) for name in matrix.targets]
    heads = [Cell("Source"), Cell("Held-out speakers", "of the source: no transfer"), *targets]
    heads += [Cell("Mean", name) for name in matrix.means]
    groups = []
    for recipe, lines in matrix.lines.items():
        rows = []
        for line in lines:
            kinds = ["held", *[""] * len(line.cells), *["mean"] * len(line.means)]
            squares = zip((line.held_out, *line.cells, *line.means), kinds, strict=True)
            cells = [square.cell(kind, usual, failures) for square, kind in squares]
            rows.append(TableRow([Cell(line.source, line.how, marks=bench.speech_marks(line.source)), *cells]))
        groups.append(Group(rows, Cell(recipe)))
    caption = f"UA, {matrix.protocol}: recipes and sources down, targets across"
    return Table(caption, heads, groups, "bench", point="chance")


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
        _square(bench.held_out(recipe, source), bench.absent(own) or "no score", bench.pages.get(own, "")),
        [_of_target(bench, key, protocol) for key in keys],
        [_mean(bench, recipe, source, protocol, name) for name in means],
    )


def _of_target(bench: Bench, key: Key, protocol: str) -> Square:
    if key[2] in key[1].split("+"):
        return Square()
    row = bench.score(key, protocol)
    why = bench.absent(key) or ("" if row else "no score")
    return _square(row, why, bench.pages.get(key, ""), tuple(bench.marks(key)))


def _square(row: Row | None, why: str, page: str, marks: tuple[str, ...] = ()) -> Square:
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
