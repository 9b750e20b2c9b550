"""The picture of a bench: one matrix of sources and targets, which a switch reads under each protocol."""

from __future__ import annotations

from markupsafe import Markup

from xlser.evaluation.pretended import ALL_RECIPES
from xlser.reporting.bench.facts import Bench, Key, named_reading
from xlser.reporting.bench.facts import Row as Score
from xlser.reporting.bench.hindsight import adapted_by, shown
from xlser.reporting.bench.matrix import NOTES, Line, Matrix, Square, matrices, square_of, usual_chance
from xlser.reporting.bench.means import is_counted, mean, validated_mean
from xlser.reporting.section import Cell, Cells, Group, Note, Part, Raw, Row, Switch, Table
from xlser.reporting.wording import bounds, known, number, reader_name
from xlser.vocabulary import TRANSDUCTIVE, ZERO_SHOT

VALIDATED = "validated"
_SCALE = Markup(
    '<div class="key" role="img" aria-label="Colours: from chance, pale, to a UA of 1, blue"><span>chance</span>'
    '<span class="scale"></span><span>UA 1</span></div>'
)
_ADAPTED = "Adapted by the target's unlabelled recordings; no label of it was used."
_CHOSEN = "The reading that was chosen without a label of the target, and the best of the same readings in hindsight."


def picture(bench: Bench) -> list[Part]:
    """Return the matrix, an option of the switch a protocol, what was validated among them where readings were many."""
    found = matrices(bench)
    usual, mark = usual_chance(found), _Marks(bench)
    options: list[tuple[str, list[Part]]] = []
    for matrix in found:
        label, note = named_reading(matrix.protocol), NOTES.get(matrix.protocol, _ADAPTED)
        options.append((label, [_table(bench, matrix, label, usual, mark), Note(note)]))
    if shown(bench):
        options.append((VALIDATED, [_validated(bench, usual, mark), Note(_CHOSEN)]))
    # What the headline is about is shown first.
    only = options[0][1] if len(options) == 1 else [Switch("Read", options, len(options) - 1 if shown(bench) else 0)]
    told = f" ({usual})" if usual else ""
    note = f"▲ ▼ the whole interval above or below chance{told}; framed: held-out speakers of the source, no transfer."
    return [*only, Raw(_SCALE), Note(note)]


class _Marks:
    """What fails, which a hole says in its place."""

    def __init__(self, bench: Bench):
        self.failures = set(bench.results["failed"].values())

    def cell(self, square: Square, kind: str, usual: str) -> Cell:
        """Return a square as a cell of the page; a chance that is usual is not named."""
        if square.text:
            more = [f"chance {square.chance}"] if square.chance and square.chance != usual else []
            kind = f"{kind} unsure" if square.side == "across" else kind
            page, text = square.href, square.text
            return Cell(text, square.interval, square.side, square.marks, more, square.share, page, kind.strip())
        if square.why:
            link = [Markup('<a href="{}">page</a>').format(square.href)] if square.href else []
            more = ["failed"] if square.why in self.failures else []
            return Cell("n/a", more=[*more, *link], kind=f"hole {kind}".strip(), hidden=f": {square.why}")
        return Cell("—", kind=f"blank {kind}".strip(), hidden="part of the source")


def _table(bench: Bench, matrix: Matrix, label: str, usual: str, mark: _Marks) -> Table:
    """Return a matrix with its means; the diagonal holds the source's own held-out speakers."""
    averaged, judged = _is_averaged(bench), bool(shown(bench))
    groups = []
    for recipe, lines in matrix.lines.items():
        rows = []
        for line in lines:
            cells = [
                mark.cell(line.held_out, "held", usual) if target == line.source else mark.cell(square, "", usual)
                for target, square in zip(matrix.targets, line.cells, strict=True)
            ]
            scores = [row for target in matrix.targets if (row := _counted(bench, line, target, matrix.protocol))]
            cells += [_score(mean(scores))] if averaged else []
            cells += _both(bench, recipe, line.source, matrix.protocol) if judged else []
            rows.append(Row([_source(bench, line), *cells]))
        groups.append(Group(rows, Cell(recipe) if len(matrix.lines) > 1 else None))
    heads: Cells = ["Source", *_heads(bench), *["Mean"] * averaged, *[VALIDATED, "oracle"] * judged]
    return Table(f"UA, {label}", heads, groups, "bench", point="chance", copy=True)


def _source(bench: Bench, line: Line) -> Cell:
    """Return the head of a line; a source that is no target has its held-out speakers beneath its name."""
    own = (line.recipe, line.source, line.source)
    if line.source in bench.targets or own not in bench.pages:
        return Cell(line.source, marks=bench.speech_marks(line.source))
    link = Markup('<a href="pages/{}">held-out {}</a>').format(bench.pages[own], line.held_out.text or "n/a")
    return Cell(line.source, link, marks=bench.speech_marks(line.source))


def _heads(bench: Bench) -> list[Cell]:
    return [Cell(name, bench.language(name), marks=bench.target_marks(name)) for name in bench.targets]


def _is_averaged(bench: Bench) -> bool:
    return len(bench.targets) > 1


def _counted(bench: Bench, line: Line, target: str, protocol: str) -> Score | None:
    key: Key = (line.recipe, line.source, target)
    return bench.score(key, protocol) if key in bench.transfers and is_counted(bench, *key[1:]) else None


def _score(row: Score) -> Cell:
    if not known(row["value"]):
        return Cell("—", kind="mean", hidden="none")
    return Cell(number(row["value"]), bounds(row["low"], row["high"]), kind="mean")


def _both(bench: Bench, line: str, source: str, protocol: str) -> list[Cell]:
    """Return the means of what was validated and of the oracle, of a line's source, as far as this protocol looks."""
    looks = ZERO_SHOT if protocol == ZERO_SHOT else TRANSDUCTIVE
    rows = [row for row in shown(bench) if (row["line"], row["source"], row["protocol"]) == (line, source, looks)]
    rows = [row for row in rows if is_counted(bench, source, row["target"])]
    return [_score(validated_mean(rows, which)) for which in ("chosen", "oracle")]


def _validated(bench: Bench, usual: str, mark: _Marks) -> Table:
    """Return the matrix of what was chosen without labels: where the target may be looked at, if anything looks."""
    rows, groups = shown(bench), []
    looks = TRANSDUCTIVE if any(row["protocol"] == TRANSDUCTIVE for row in rows) else ZERO_SHOT
    found = {(row["line"], row["source"], row["target"]): row for row in rows if row["protocol"] == looks}
    names = list(dict.fromkeys(key[0] for key in found))
    names = [ALL_RECIPES] if ALL_RECIPES in names else names
    for name in names:
        lines = []
        for source in bench.sources:
            by = {key[2]: row for key, row in found.items() if key[:2] == (name, source)}
            cells = [
                _choice(bench, by[target], usual, mark) if target in by else _none(source, target, mark)
                for target in bench.targets
            ]
            mine = [row for row in by.values() if is_counted(bench, source, row["target"])]
            cells += [_score(validated_mean(mine, which)) for which in ("chosen", "oracle")]
            lines += [Row([Cell(source, marks=bench.speech_marks(source)), *cells])] if by else []
        groups.append(Group(lines, Cell(name) if len(names) > 1 else None))
    heads: Cells = ["Source", *_heads(bench), "Mean", "oracle"]
    return Table(f"UA, {VALIDATED}", heads, groups, "bench", point="chance", copy=True)


def _none(source: str, target: str, mark: _Marks) -> Cell:
    return mark.cell(Square() if target in source.split("+") else Square(why="no choice"), "", "")


def _choice(bench: Bench, row: Score, usual: str, mark: _Marks) -> Cell:
    given, key = row["chosen"], (row["chosen"]["recipe"], row["source"], row["target"])
    page = bench.pages.get(key, "")
    cell = mark.cell(square_of(given, "", page, tuple(bench.learnt_marks(key))), "", usual)
    how = f"{given['method']}, {reader_name(given['classifier'])}, {named_reading(adapted_by(given))}"
    oracle = f"oracle {number(row['oracle']['value'])}"
    return Cell(
        cell.text, cell.interval, cell.side, cell.marks, [oracle], cell.share, cell.href, cell.kind, hidden=f" by {how}"
    )
