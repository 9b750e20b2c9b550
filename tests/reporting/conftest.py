import copy
import json
from itertools import product

import pytest
from looked import executable, faults

ABOUT = {
    "recipe": {
        "name": "tiny",
        "description": "A hand-made run.",
        "source": "src",
        "targets": ["tgt", "mute"],
        "features": {"extractor": "egemaps", "normalise": "corpus"},
        "model": {"kind": "dae", "latent": 2},
        "evaluation": {"draws": 100, "level": 0.95},
    },
    "recipe_hash": "abc123",
    "notes": ["mute: no correlations, since it (or the source) has no ratings"] * 2,
    "synthetic": [],
    "protocol": "transductive",
    "columns": 88,
    "versions": {"xlser": "0.1.0", "python": "3.11"},
    "command": "xlser run tiny --out here",
    "seconds": 1.5,
    "finished": "2026-01-01 00:00:00 +0000",
}
GAIN = {"gain": 0.10, "gain_low": 0.04, "gain_high": 0.16}
NO_GAIN = dict.fromkeys(GAIN)
PLACES = [("src", "zero-shot"), ("tgt", "zero-shot"), ("tgt", "transductive"), ("mute", "transductive")]


def corpus(name, role, **more):
    labels = {"kept": {"anger": 20, "sadness": 20}, "merged": {"calm -> sadness": 5}, "dropped": {"fear": 7}}
    base = {"corpus": name, "title": f"The {name} corpus", "role": role, "language": "xx", "synthetic": False}
    base |= {"elicitation": "acted", "licence": "free", "citation": "Nobody 2000", "card_hash": "c0ffee"}
    base |= {"verified": True, "utterances": 47, "speakers": 12, "hours": 0.1, "ratings": "rated", "labels": labels}
    base |= {"rated": {"activation": 47, "valence": 47}, "left_out": {"too short": 22}, "notes": []}
    return base | {"left_out_files": {"too short": ["wav/one.wav"]}} | more


def place(name, protocol):
    role = "source, held-out speakers" if name == "src" else "target"
    return {"corpus": name, "role": role, "language": "xx", "data": "real", "protocol": protocol, "normalise": "x"}


def score(value, method):
    ends = {"value": value, "low": value - 0.1, "high": value + 0.1, "seed_sd": 0.01, "utterances": 40}
    return ends | (NO_GAIN if method == "plain" else GAIN)


def transfer():
    cells = product(PLACES, ("features", "plain", "metric"), ("knn", "probe"), ("UA", "WA", "macro-F1"))
    return [
        place(*where)
        | {"classes": 2, "speakers": 12, "method": method, "classifier": reader, "metric": metric, "chance": 0.5}
        | score({"src": 0.81, "tgt": 0.68, "mute": 0.55}[where[0]], method)
        for where, method, reader, metric in cells
    ]


def correlation():
    cells = product(PLACES[:3], ("plain", "metric"), ("direction", "latent mean", "best latent", "z1"))
    return [
        place(*where)
        | {"ratings": "rated", "method": method, "axis": axis, "dimension": dimension, "statistic": statistic}
        | {"chance": 0.0}
        | score(0.4, method)
        for where, method, axis in cells
        for dimension in ("activation", "valence")
        for statistic in ("Pearson", "Spearman", "CCC")
    ]


def confusion():
    cells = product(PLACES, ("features", "plain", "metric"), ("knn", "probe"), ("anger", "sadness"))
    return [
        place(*where)
        | {"method": method, "classifier": reader, "truth": truth, "prediction": said}
        | {"count": 15.0 if truth == said else 5.0}
        for where, method, reader, truth in cells
        for said in ("anger", "sadness")
    ]


def tiny():
    curve = [{"epoch": e, "train/loss": 1 / e, "valid/loss": 2 / e} for e in range(1, 6)]
    speakers = {"train": ["a", "b"], "validation": ["c"], "test": ["d"]}
    sizes = {"train": 20, "validation": 10, "test": 10}
    split = {"seed": 0, "hash": "5a17", "speakers": speakers, "utterances": sizes, "shared": []}
    return {
        "about": ABOUT,
        "corpora": [corpus("src", "source"), corpus("tgt", "target"), corpus("mute", "target", ratings="none")],
        "splits": [split],
        "curves": [{"method": m, "seed": 0, "best_epoch": 4, "curve": curve} for m in ("plain", "metric")],
        "choices": [{"method": "plain", "seed": 0, "corpus": "tgt", "normalise": "corpus", "reader": "knn", "k": 5}],
        "transfer": transfer(),
        "correlation": correlation(),
        "confusion": confusion(),
    }


ENCODER_RECIPE = {
    "name": "fine",
    "source": "src",
    "targets": ["tgt", "mute"],
    "evaluation": {"draws": 100, "level": 0.95},
    "encoder": {
        "weights": "house/checkpoint",
        "revision": "main",
        "freeze": "front",
        "layer": -1,
        "pooling": "mean",
        "dropout": None,
        "longest": 12.0,
    },
    "methods": {
        "ce": {"cross_entropy": {"weight": 1.0, "balance": False}, "supcon": None},
        "ce+supcon": {"cross_entropy": {"weight": 1.0}, "supcon": {"weight": 0.5, "temperature": 0.1}},
    },
    "augment": {"speed": [0.9, 1.1], "snr": None, "gain": [-6.0, 6.0], "time": 0.08, "feature": 0.0},
    "training": {"epochs": 15, "seconds": 64.0, "classes": 2, "clips": 2, "chunk_seconds": 16.0, "accumulate": 2}
    | {"encoder_lr": 1e-5, "lr": 1e-4, "warmup": 0.1, "decay": "linear", "precision": "bfloat16", "patience": 5},
}
HEADS, OTHERS = ("classifier", "classifier + knn"), ("knn", "probe")


def encoder_readers(methods):
    """The checkpoint before training, which has no head, then every reader of each method."""
    return [*product(["features"], OTHERS), *product(methods, (*HEADS, *OTHERS))]


def encoder_score(value, method, reader):
    """Gains are over the first method's classifier, kNN or linear probe."""
    return score(value, "plain" if method == "ce" and reader != "classifier + knn" else method)


def encoder_transfer(methods, places):
    return [
        place(*where)
        | {"classes": 2, "speakers": 12, "method": method, "classifier": reader, "metric": metric, "chance": 0.5}
        | encoder_score({"src": 0.81, "tgt": 0.68, "mute": 0.55}[where[0]], method, reader)
        for where in places
        for method, reader in encoder_readers(methods)
        for metric in ("UA", "WA", "macro-F1")
    ]


def encoder_correlation(methods, places):
    cells = [("features", "direction"), *product(methods, ("direction", "head"))]
    return [
        place(*where)
        | {"ratings": "rated", "method": method, "axis": axis, "dimension": dimension, "statistic": statistic}
        | {"chance": 0.0}
        | encoder_score(0.4, method, axis)
        for where in places
        for method, axis in cells
        for dimension in ("activation", "valence", "dominance")
        for statistic in ("Pearson", "Spearman", "CCC")
    ]


def encoder_confusion(methods, places):
    cells = [(*cell, truth) for cell in encoder_readers(methods) for truth in ("anger", "sadness")]
    return [
        place(*where)
        | {"method": method, "classifier": reader, "truth": truth, "prediction": said}
        | {"count": 15.0 if truth == said else 5.0}
        for where in places
        for method, reader, truth in cells
        for said in ("anger", "sadness")
    ]


def fine(recipe=ENCODER_RECIPE):
    """A run of a fine-tuned encoder: the same corpora and splits as `tiny`, every target zero-shot."""
    methods, places = list(recipe["methods"]), [(name, "zero-shot") for name in ("src", "tgt", "mute")]
    curve = [{"epoch": e, "train/loss": 1 / e, "valid/loss": 2 / e, "valid/score": 0.1 * e} for e in range(1, 6)]
    baseline = {"method": "ce", "readers": {"classifier + knn": "classifier"}}
    choice = {"method": "ce", "seed": 0, "corpus": "tgt", "reader": "classifier + knn"}
    choice |= {"k": 8, "distance": "cosine", "temperature": 0.3, "scale": 0.02, "weight": 0.4}
    return tiny() | {
        "about": ABOUT | {"recipe": recipe, "protocol": "zero-shot", "columns": 0, "baseline": baseline},
        "curves": [{"method": m, "seed": 0, "best_epoch": 4, "curve": curve} for m in methods],
        "choices": [choice],
        "transfer": encoder_transfer(methods, places),
        "correlation": encoder_correlation(methods, places[:2]),
        "confusion": encoder_confusion(methods, places),
    }


@pytest.fixture(scope="module")  # while it is open its event loop runs, and no other test can run one
def browser():
    """A real headless browser; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pages are looked at by playwright")
    if executable() is None:
        pytest.skip("no Chromium: set XLSER_BROWSER, or put one on the PATH")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def faults_of(browser):
    """Return a function: what is wrong with a page in a real browser."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pages are checked by axe").Axe()
    return lambda path, answered=True: faults(browser, path, axe, answered=answered)


@pytest.fixture
def encoded():
    """A fine-tuned encoder: cross-entropy alone, and with SupCon."""
    return copy.deepcopy(fine())


@pytest.fixture
def siamese():
    """A fine-tuned encoder with a method for each way of choosing pairs, on two joined corpora."""
    pairs = ("random-balanced", "all", "hard", "semi-hard", "cross-speaker", "cross-language")
    methods = {"ce": ENCODER_RECIPE["methods"]["ce"]}
    methods |= {
        name: {"cross_entropy": {"weight": 1.0}, "contrastive": {"weight": 1.0, "pairs": name}} for name in pairs
    }
    results = copy.deepcopy(fine(ENCODER_RECIPE | {"source": "src+more", "methods": methods}))
    for row in results["corpora"] + results["transfer"] + results["correlation"] + results["confusion"]:
        if row["corpus"] == "src":
            row |= {"corpus": "src+more", "language": "xx+yy"}
    return results


@pytest.fixture
def results():
    return copy.deepcopy(tiny())


@pytest.fixture
def crowd(results):
    """The same run with eight corpora: six more targets that fared as the first one did."""
    for name in (f"more{i}" for i in range(6)):
        results["corpora"].append(corpus(name, "target"))
        for table in ("transfer", "correlation", "confusion"):
            results[table] += [row | {"corpus": name} for row in results[table] if row["corpus"] == "tgt"]
    results["corpora"] = [row for row in results["corpora"] if row["corpus"] != "mute"]
    for table in ("transfer", "confusion"):
        results[table] = [row for row in results[table] if row["corpus"] != "mute"]
    return results


@pytest.fixture
def run_dir(tmp_path):
    """Return a function that writes results (and, unless told otherwise, points) as a run does."""

    def write(results, points=True):
        (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
        if points:
            lines = ["method,corpus,id,x,y,activation,valence,emotion"]
            names = [row["corpus"] for row in results["corpora"]]
            methods = dict.fromkeys(row["method"] for row in results["curves"]) or ("plain", "metric")
            for method, name, i in product(methods, names, range(8)):
                rating = "" if name == "mute" else str(i / 4 - 1)
                lines.append(f"{method},{name},{i},{i * 0.5},{i % 3},{rating},0.0,anger")
            (tmp_path / "embedding.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path

    return write
