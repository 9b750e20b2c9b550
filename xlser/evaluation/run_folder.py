"""What lies beside the results of a run: where clips lie in the plane that is drawn, and what was said of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlser.csvcells import exact_frame
from xlser.evaluation.predictions_schema import PredictionsFile
from xlser.jsonfile import read_json
from xlser.machine import pass_on_machine
from xlser.typedtable import is_typed

if TYPE_CHECKING:
    import pandas as pd

_POINTS = {"method", "corpus", "x", "y", "activation"}


def load_grid(run_dir: str | Path) -> tuple[pd.DataFrame | None, str]:
    """Read ``embedding.csv`` of a run folder.

    Returns:
        The table and an empty text, or None and a sentence that says why there is no table.
    """
    import pandas as pd

    path = Path(run_dir) / "embedding.csv"
    if not path.is_file():
        return None, "The grid of embeddings is not shown: embedding.csv is missing from the run folder."
    try:
        # Names stay text: a corpus or method may be called "01", "nan" or "None".
        points = pd.read_csv(
            path,
            dtype={"method": str, "corpus": str},
            na_filter=True,
            keep_default_na=False,
            na_values={name: ["", "nan", "NaN"] for name in ("x", "y", "activation", "valence")},
        )
    except (OSError, ValueError) as error:
        pass_on_machine(error, f"reading the grid of {run_dir}")
        return None, f"The grid of embeddings is not shown: embedding.csv is damaged ({error})."
    lacking = ", ".join(sorted(_POINTS - set(points.columns)))
    if lacking:
        return None, f"The grid of embeddings is not shown: embedding.csv lacks the columns {lacking}."
    return exact_frame(points), ""


def load_sexes(run_dir: str | Path) -> dict[str, str]:
    """Read who speaks in each clip, by its id, from the manifests of a run; nothing where they cannot be read."""
    import pandas as pd

    found: dict[str, str] = {}
    for path in sorted((Path(run_dir) / "manifests").glob("*.parquet")):
        try:
            frame = pd.read_parquet(path, columns=["id", "sex"]).dropna()
        except (OSError, ValueError) as error:
            pass_on_machine(error, f"reading {path}")
            continue
        found |= dict(zip(frame["id"].astype(str), frame["sex"].astype(str), strict=True))
    return found


def load_predictions(run_dir: str | Path) -> list[dict[str, Any]]:
    """Read ``predictions.json`` of a run folder: what every method said of every clip, an entry a corpus and protocol.

    Returns:
        Entries with ``corpus, role, protocol, classes`` and what `xlser.evaluation.verdicts.Verdicts.of` reads; none
        where the run is of an older version, which did not keep them, or the file cannot be read or is damaged.
    """
    from xlser.evaluation.verdicts import unpacked

    table = read_json(Path(run_dir) / "predictions.json")
    if not is_typed(PredictionsFile, table):
        return []
    return [entry | unpacked(entry) for entry in table["corpora"] if _goes_together(entry)]


def _goes_together(entry: dict[str, Any]) -> bool:
    """Say whether an entry has something for every clip, and every number stands for a label or a speaker."""
    clips, labels = len(entry["id"]), [entry["truth"], *(row["labels"] for row in entry["said"])]
    if not all(len(column) == clips for column in (entry["speaker"], *labels)):
        return False
    most = len(entry["emotions"])
    return all(-1 <= code < most for column in labels for code in column) and all(
        code < len(entry["speakers"]) for code in entry["speaker"]
    )
