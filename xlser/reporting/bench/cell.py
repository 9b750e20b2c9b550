"""One cell of a bench as the results of a run, so that whatever shows a run can show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xlser.reporting.bench.facts import DURATION, Bench, Key, reading
from xlser.reporting.facts import Facts
from xlser.vocabulary import AXES, FEATURES


class CellFacts(Facts):
    """The results of one cell: correlations and confusions of what was chosen, the baseline and plain features alone.

    Attributes:
        bench: what it is a cell of; ``key`` its recipe, source and target.
        clips: those of `xlser.reporting.bench.listen.clips_there`.
    """

    drawn = False  # a picture of correlations for every cell of a bench would take minutes

    def __init__(self, bench: Bench, key: Key, clips: Mapping[str, str]):
        cell, (recipe, source, target) = bench.cells[key], key
        home = bench.cells.get((recipe, source, source))
        corpora = [home["about"]] if home else []
        corpora += [cell["about"]] if target != source else []
        about = {
            "recipe": bench.about["recipes"].get(recipe, {"name": recipe}),
            "notes": cell["notes"],
            "synthetic": [name for name in dict.fromkeys((source, target)) if bench.synthetic(name)],
            "protocol": bench.protocol(recipe),
            "baseline": cell["baseline"],
            "checkpoints": cell.get("checkpoints", []),
            "versions": bench.about["versions"],
        }
        chosen = bench.chosen(recipe, source)
        kept = {chosen["method"], cell["baseline"]["method"], FEATURES} if chosen else set()
        scored = {
            "transfer": cell["transfer"],
            "confusion": [row for row in cell["confusion"] if not kept or row["method"] in kept],
            "correlation": [
                row for row in cell["correlation"] if row["axis"] in AXES and (not kept or row["method"] in kept)
            ],
        }
        scored = {name: [row | {"protocol": reading(row)} for row in rows] for name, rows in scored.items()}
        rest = {"choices": cell["choices"], "splits": [], "curves": []}
        super().__init__({"about": about, "corpora": corpora, **rest, **scored})
        self.bench, self.key, self.clips = bench, key, dict(clips)
        self.main = [name for name in self.main if name != DURATION]
        self.shown = (chosen["method"], chosen["classifier"]) if chosen else None
        self.unscored = (
            f"No classification: source and target share {len(cell['classes'])} of the scored emotions, and two are "
            "needed."
        )

    def methods_of(self, table: str) -> list[str]:
        """Return the methods of a table, the chosen one first."""
        chosen = self.shown[0] if self.shown else None
        names: Iterable[str] = dict.fromkeys(row["method"] for row in self.bench.cells[self.key][table])
        return sorted(names, key=lambda name: name != chosen)
