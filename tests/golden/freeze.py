"""Five recipes and two benches on ragged corpora, and every number that they give, frozen.

``python tests/golden/freeze.py`` writes them anew, into ``frozen.json`` beside this file: do so only after a change
that is meant to change numbers, and say in the commit which and why.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

SHOWN = 250
ROOT = Path(__file__).resolve().parents[2]
FROZEN = Path(__file__).with_name("frozen.json")
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

COMMON = {"source": "synthetic-de", "targets": ["synthetic-tr"], "split": {"folds": 4}, "evaluation": {"draws": 100}}
SHORT = {"epochs": 3, "seeds": 2, "batch": 16}
SMALL = {"hidden": [16, 8], "latent": 2}
TUNED = {"epochs": 2, "seeds": 1, "seconds": 16, "lr": 0.003, "encoder_lr": 0.003}
TINY = {"weights": "random:tiny"}
RECIPES: dict[str, dict[str, Any]] = {
    "dae": {"methods": {"activation": {"metric": "signed"}, "both": {"metric": "signed", "on": "both"}}},
    "losses": {
        "features": {"extractor": "logmel", "normalise": "speaker"},
        "model": SMALL | {"latent": 4},
        "methods": {
            "euclidean": {"metric": "euclidean", "on": "valence"},
            "ccc": {"metric": "ccc", "combine": "sum"},
            "elr": {"metric": "elr", "combine": "sum"},
            "rank-n-contrast": {"metric": "rank-n-contrast"},
            "kernel": {"metric": "kernel", "on": "both"},
            "class-cluster": {"metric": "class-cluster"},
            "supcon": {"metric": "supcon", "across": "speaker", "cross_weight": 4, "combine": "sum"},
            "contrastive": {"metric": "contrastive", "combine": "sum", "emotion_head": True, "reconstruct": False},
        },
        "training": SHORT | {"seeds": 1, "epochs": 2, "balance": "emotion"},
    },
    "vae": {
        "model": SMALL | {"kind": "vae"},
        "methods": {"semi": {"emotion_head": True, "combine": "sum"}, "valence": {"metric": "signed", "on": "valence"}},
    },
    "supcon-knn": {
        "encoder": TINY | {"layer": "weighted", "pooling": "attentive"},
        "methods": {
            "ce": {"cross_entropy": 1, "dimensions": {"of": ["valence", "activation"]}},
            "ce+supcon": {"cross_entropy": {"balance": True}, "supcon": 0.5},
        },
        "augment": {"speed": [0.9, 1.1], "gain": [-6, 6]},
        "training": TUNED,
    },
    "siamese": {
        "encoder": TINY,
        "methods": {
            "ce": {"cross_entropy": 1},
            "hard": {"cross_entropy": 1, "contrastive": {"weight": 1, "pairs": "hard"}},
        },
        "training": TUNED,
    },
}
BENCHES: dict[str, dict[str, Any]] = {
    "shots": {"recipe": "dae", "sources": ["synthetic-de", "synthetic-tr"], "few_shot": (1,), "adapt": ("coral",)},
    "adapted": {
        "recipe": "vae",
        "sources": ["synthetic-de"],
        "few_shot": (),
        "adapt": ("speakers", "quantile", "prior"),
    },
}
# What is compared: everything that is a result, and nothing that says when, where or by whom.
TABLES = ("splits", "folds", "curves", "choices", "transfer", "correlation", "confusion")
CELLS = ("folds", "transfer", "correlation", "confusion", "choices", "dimensions", "nuisances", "few_shot")
CELLS += ("few_shot_areas", "trust", "label_modes")


def platform_facts() -> dict[str, str]:
    """Return what can change the last digit of a number: with the same the numbers must be the same."""
    from importlib.metadata import version

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    # Processors of one name differ in what they add up at once.
    model = ", ".join(fields.get(key, "unknown") for key in ("model name", "cpu family", "model", "stepping"))
    names = ("torch", "numpy", "scikit-learn", "opensmile", "faiss-cpu", "scipy")
    return {"cpu": model, "machine": platform.machine()} | {name: version(name) for name in names}


def compute(name: str, folder: Path, data: Path, cache: Path) -> dict[str, Any]:
    """Run one recipe or bench below ``folder`` and return its tables."""
    from xlser.experiment.bench.plan import make_jobs
    from xlser.experiment.bench.run import run_bench
    from xlser.experiment.run import run_recipe
    from xlser.experiment.workplace import Workplace

    place = Workplace(data, cache=cache, progress=False, say=lambda text: None)
    if name in RECIPES:
        results = json.loads((run_recipe(recipe(name), folder, place) / "results.json").read_text())
        return {table: results[table] for table in TABLES}
    plan = BENCHES[name]
    targets = ["synthetic-de", "synthetic-tr"]
    options = {"few_shot": plan["few_shot"], "adapt": plan["adapt"]}
    out = run_bench(make_jobs([recipe(plan["recipe"])], plan["sources"], targets, folder, **options), folder, place)
    results = json.loads((out / "results.json").read_text())
    assert not results["failed"], results["failed"]
    assert not results["holes"], results["holes"]
    cells = {f"{cell['source']} to {cell['target']}": cell for cell in results["cells"]}
    found = {f"{place}, {table}": cell[table] for place, cell in cells.items() for table in CELLS}
    return found | {table: results[table] for table in ("chosen", "comparisons", "languages")}


def recipe(name: str) -> Any:
    """Return a recipe of `RECIPES`, whole."""
    from xlser.training.encoder_recipe import EncoderRecipe
    from xlser.training.recipe import Recipe

    values = RECIPES[name]
    if "encoder" in values:
        return EncoderRecipe.model_validate({"name": name} | COMMON | values)
    return Recipe.model_validate({"name": name, "model": SMALL, "training": SHORT} | COMMON | values)


def flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return every leaf of a table with its path.

    >>> flat({"a": [1.5, None]})
    [('.a.0', 1.5), ('.a.1', None)]
    """
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if pairs is None:
        return [(path, value)]
    return [leaf for key, item in pairs for leaf in flat(item, f"{path}.{key}")]


def is_number(value: Any) -> bool:
    """Say whether a leaf is a number, or one that is not known."""
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def frozen(table: Any) -> dict[str, Any]:
    """Return digests of a table's words (names, texts, where each number stands) and numbers, and `SHOWN` of these."""
    leaves = flat(table)
    words = [path if is_number(value) else [path, value] for path, value in leaves]
    numbers = [value for _, value in leaves if is_number(value)]
    return {"words": digest(words), "digits": digest(numbers), "count": len(numbers), "numbers": shown(numbers)}


def digest(value: Any) -> str:
    """Return the first 16 digits of a hash; a number counts with every digit that it has."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def shown(numbers: list[Any]) -> list[Any]:
    """Return `SHOWN` of the numbers at most, evenly spread: all of them would be a file of nearly a megabyte."""
    return numbers[:: max(1, -(-len(numbers) // SHOWN))]


def main() -> None:
    """Write `FROZEN`."""
    from ragged import make_ragged

    with tempfile.TemporaryDirectory() as scratch:
        data, cache = make_ragged(Path(scratch) / "data"), Path(scratch) / "cache"
        tables = {name: compute(name, Path(scratch) / name, data, cache) for name in (*RECIPES, *BENCHES)}
    kept = {name: {key: frozen(table) for key, table in found.items()} for name, found in tables.items()}
    # A table a line: what changed can be seen.
    lines = [json.dumps(platform_facts())]
    lines += [json.dumps([name, key, kept[name][key]], separators=(",", ":")) for name in kept for key in kept[name]]
    FROZEN.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    print(f"{FROZEN}: {sum(one['count'] for each in kept.values() for one in each.values())} numbers")


if __name__ == "__main__":
    main()
