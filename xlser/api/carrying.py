"""Systems trained on datasets and carried to others: a bench, as Python users start and read it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xlser.api.fitting import scored_emotions
from xlser.data.dataset import Dataset
from xlser.errors import CorpusError, RecipeError
from xlser.evaluation.adaptations import written
from xlser.evaluation.adapting import Adaptation
from xlser.evaluation.results import Provenance, read_results
from xlser.evaluation.results_file import RESULTS
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.workplace import Workplace
from xlser.ownfiles import OwnFiles
from xlser.systems.kinds import System

_ABOUT = ("recipe", "source", "target", "role", "protocol", "normalise")
_SCORE = ("method", "classifier", "metric", "value", "low", "high", "chance", "utterances", "speakers")


class Transfer:
    """The results of a bench, as tables. ``folder`` holds them, and every trained model.

    Each table is a DataFrame that names its source, target, protocol and method in every row.
    """

    def __init__(self, folder: str | Path, temporary: tempfile.TemporaryDirectory[str] | None = None) -> None:
        self.folder, self._temporary = Path(folder), temporary
        self._results = read_results(self.folder)
        self.results = self._results.table

    @property
    def chosen(self) -> pd.DataFrame:
        """What was chosen on the source's validation speakers, by system and source."""
        return pd.DataFrame(self.results["chosen"])

    @property
    def scores(self) -> pd.DataFrame:
        """Every score of every method and readout, features before any network included."""
        return self._rows("transfer")

    @property
    def correlations(self) -> pd.DataFrame:
        """How what each method gives for a rated dimension follows the ratings."""
        return self._rows("correlation")

    @property
    def few_shot(self) -> pd.DataFrame:
        """What k labelled clips an emotion of the target bring, by way and method."""
        return self._rows("few_shot")

    @property
    def comparisons(self) -> pd.DataFrame:
        """Paired tests between systems on the same clips, p-values corrected by Holm's method."""
        return pd.DataFrame(self.results["comparisons"])

    @property
    def provenance(self) -> Provenance:
        """Versions of xlser and of libraries, the command, and when it was finished."""
        return self._results.provenance

    @property
    def failed(self) -> Mapping[str, str]:
        """What went wrong, by the job or the cell."""
        return {**self.results["failed"], **self.results["holes"]}

    def to_frame(self) -> pd.DataFrame:
        """Return what was chosen in every cell: a row a system, source, target, protocol and metric."""
        frame = pd.DataFrame(self.results["matrix"])
        return frame[[*_ABOUT, *_SCORE]].rename(columns={"recipe": "system"})

    def report(self, out: str | Path | None = None) -> Path:
        """Write the pages of the bench, and return the first; into ``out`` unless None, else into its own folder.

        Raises:
            XlserError: the folder cannot be written.
        """
        from xlser.reporting.bench.report import write_bench_report

        if out is None:
            return write_bench_report(self.folder)
        with OwnFiles(out).replacing(RESULTS) as temporary:
            shutil.copyfile(self.folder / RESULTS, temporary)
        return write_bench_report(out)

    def __repr__(self) -> str:
        """Say what was carried where, with the accuracy that was chosen on validation."""
        frame = self.to_frame()
        frame = frame[frame["metric"] == "UA"].drop(columns=["metric", "role"])
        failed = f"\n{len(self.failed)} failed: {', '.join(self.failed)}" if self.failed else ""
        return f"Transfer, UA of what validation chose:\n{frame.to_string(index=False)}{failed}"

    def _rows(self, table: str) -> pd.DataFrame:
        rows = []
        for cell in self.results["cells"]:
            about = {"system": cell["recipe"], "source": cell["source"], "target": cell["target"]}
            rows += [about | row for row in cell[table]]
        return pd.DataFrame(rows)


def transfer(
    systems: Sequence[System],
    sources: Sequence[Dataset],
    targets: Sequence[Dataset],
    *,
    few_shot: Sequence[int] = (),
    adapt: Sequence[Adaptation] = (),
    seeds: int = 1,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    jobs: int = 1,
    progress: bool = True,
) -> Transfer:
    """Train every system on every source, read every target, and say how sure that is.

    ::

        bench = xl.transfer([dae, w2v], sources=[emodb], targets=[mine], few_shot=[1, 5])
        bench.to_frame(), bench.few_shot

    Seed s holds out fold s of a source's speakers; features without any network take part in every choice. A dataset
    is never its own target. Emotions that a source and a target share are scored.

    Args:
        systems: with different names.
        sources: to train on.
        targets: to read.
        few_shot: labelled clips an emotion of the target that are tried.
        adapt: what is tried to make up for a target's shift.
        seeds: trainings a system and source; with five every speaker is held out once.
        out: folder of the bench; the same call goes on where it was stopped. A temporary one unless given.
        cache: of features and decoded audio; xlser's cache folder unless given.
        jobs: processes.
        progress: show bars.

    Raises:
        RecipeError, CorpusError: nothing to do, two systems or datasets of one name, fewer than two emotions.
        RunError: every job failed, or the folder holds something else.
    """
    _check(systems, sources, targets)
    temporary = None if out else tempfile.TemporaryDirectory(prefix="xlser-")
    folder = Path(out) if out else Path(temporary.name if temporary else "")
    paths = {data.name: _written(data, folder) for data in (*sources, *targets)}
    emotions = scored_emotions(sources)
    recipes = [system.recipe(str(paths[sources[0].name]), (), emotions=emotions, seeds=seeds) for system in systems]
    place = Workplace(progress=progress, say=lambda text: None)
    place.cache = Path(cache) if cache else place.cache
    plan = make_jobs(
        recipes,
        [str(paths[data.name]) for data in sources],
        [str(paths[data.name]) for data in targets],
        folder / "bench",
        few_shot=few_shot,
        adapt=tuple(map(written, adapt)),
    )
    return Transfer(run_bench(plan, folder / "bench", place, workers=jobs), temporary)


def _written(data: Dataset, folder: Path) -> Path:
    name = f"datasets/{data.name}.parquet"
    with OwnFiles(folder).replacing(name) as temporary:
        data.write(temporary)
    return folder / name


def _check(systems: Sequence[System], sources: Sequence[Dataset], targets: Sequence[Dataset]) -> None:
    given: list[tuple[str, Any, type]] = [("systems", systems, System)]
    for name, several, kind in (*given, ("sources", sources, Dataset), ("targets", targets, Dataset)):
        if isinstance(several, (System, Dataset)) or not several or not all(isinstance(item, kind) for item in several):
            raise RecipeError(f"transfer: `{name}` must be a list of {kind.__name__}s, one at least")
    by_name: dict[str, Dataset] = {}
    for dataset in (*sources, *targets):
        other = by_name.setdefault(dataset.name, dataset)
        if other is not dataset:
            raise CorpusError(
                f"transfer: two datasets are called {dataset.name}. Give one another name: from_frame(..., name=...)"
            )
