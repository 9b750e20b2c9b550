"""Every option of a verb arrives where it has its effect: the function below the verb is replaced by a recorder."""

import importlib
import inspect
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

RECIPE = "emodb/dae-activation"
# The functions below each verb, all of which are recorded instead of called.
BELOW = {
    "run": ["experiment.run.run_recipe", "reporting.report.write_report", "reporting.report.render_terminal"],
    "transfer": [
        "experiment.bench.run.run_bench",
        "experiment.bench.run.whole",
        "reporting.bench.report.write_bench_report",
        "reporting.bench.report.render_bench",
    ],
    "predict": [
        "experiment.use.model.load",
        "experiment.use.output.opened",
        "experiment.use.output.write_predictions",
        "experiment.use.timelines.write_timelines",
        "experiment.use.protocol.protocol_lines",
        "experiment.use.listing.find_requests",
    ],
    "embed": [
        "experiment.use.model.load",
        "experiment.use.output.write_embeddings",
        "experiment.use.listing.find_requests",
    ],
    "export": ["experiment.use.export.export_onnx"],
    "report": ["reporting.bench.listen.copy_clips", "reporting.report.write_report"],
    "compare": ["reporting.bench.compare.compare"],
}
# What a verb cannot do without.
WORDS = {
    "run": [RECIPE],
    "transfer": ["--recipe", RECIPE, "--sources", "emodb", "--targets", "urdu"],
    "predict": ["run", "clips"],
    "embed": ["run", "clips", "--out", "e.csv"],
    "export": ["run", "--onnx", "m.onnx"],
    "report": ["run"],
    "compare": ["a", "b"],
}


def place(calls):
    return calls["run_recipe"]["place"] if "run_recipe" in calls else calls["run_bench"]["place"]


def heard(calls):
    return calls["copy_clips"]["find"].keywords["place"] if "copy_clips" in calls else SimpleNamespace()


def cut(calls):
    return calls["write_timelines"]["cut"] if "write_timelines" in calls else SimpleNamespace(every=None, window=None)


def jobs(calls):
    return calls["run_bench"]["jobs"]


# Of each option: what is typed, how the recorded calls are asked for it, and what they must answer.
OPTIONS = {
    "run": {
        "--data-root": (["there"], lambda c: place(c).data_root, Path("there")),
        "--root": (["urdu=x"], lambda c: place(c).roots, {"urdu": Path("x")}),
        "--set": (["training.epochs=7"], lambda c: c["run_recipe"]["recipe"].training.epochs, 7),
        "--out": (["mine"], lambda c: c["run_recipe"]["out"], Path("mine")),
        "--cache": (["kept"], lambda c: place(c).cache, Path("kept")),
        "--jobs": (["3"], lambda c: place(c).jobs, 3),
        "--strict": ([], lambda c: place(c).strict, True),
    },
    "transfer": {
        "--recipe": (
            ["bench/dae-both"],
            lambda c: [job.recipe.name for job in jobs(c)],
            ["emodb-dae-activation", "dae-both"],
        ),
        "--sources": (["ravdess"], lambda c: jobs(c)[0].recipe.source, "ravdess"),
        "--targets": (["ravdess"], lambda c: jobs(c)[0].recipe.targets, ("ravdess",)),
        "--data-root": (["there"], lambda c: place(c).data_root, Path("there")),
        "--root": (["urdu=x"], lambda c: place(c).roots, {"urdu": Path("x")}),
        "--set": (["training.epochs=7"], lambda c: jobs(c)[0].recipe.training.epochs, 7),
        "--seeds": (["2"], lambda c: jobs(c)[0].recipe.training.seeds, 2),
        "--few-shot": (["5,1"], lambda c: jobs(c)[0].few_shot, (1, 5)),
        "--adapt": (["coral,prior"], lambda c: jobs(c)[0].adapt, ("coral", "prior")),
        "--jobs": (["2"], lambda c: c["run_bench"]["workers"], 2),
        "--dask": (["tcp://host:1"], lambda c: c["run_bench"]["dask"], "tcp://host:1"),
        "--out": (["mine"], lambda c: (c["run_bench"]["out"], jobs(c)[0].folder.parts[0]), (Path("mine"), "mine")),
        "--cache": (["kept"], lambda c: place(c).cache, Path("kept")),
    },
    "predict": {
        "--model": (["emodb/dae"], lambda c: c["load"]["model"], "emodb/dae"),
        "--method": (["ce"], lambda c: c["load"]["method"], "ce"),
        "--seed": (["2"], lambda c: c["load"]["seed"], 2),
        "--labels": (["sadness, anger"], lambda c: c["predict_files"]["labels"], ("anger", "sadness")),
        "--neighbours": (["3"], lambda c: c["predict_files"]["k"], 3),
        "--datastore": (["d.safetensors"], lambda c: c["load"]["datastore"], Path("d.safetensors")),
        "--format": (["jsonl"], lambda c: c["write_predictions"]["form"], "jsonl"),
        "--out": (
            ["p.csv"],
            lambda c: (c["opened"]["out"], c["write_predictions"]["form"]),
            (Path("p.csv"), "csv"),
        ),
        "--adapt": ([], lambda c: c["predict_files"]["adapt"], True),
        "--adaptation": (["coral"], lambda c: c["predict_files"]["adapt"], "coral"),
        "--every": (["2.5"], lambda c: cut(c).every, 2.5),
        "--window": (["1.5", "--every", "1"], lambda c: cut(c).window, 1.5),
        "--channel": (["left"], lambda c: c["find_requests"]["channel"], "left"),
        "--root": (["there"], lambda c: c["find_requests"]["options"].root, Path("there")),
        "--encoding": (["cp1252"], lambda c: c["find_requests"]["options"].encoding, "cp1252"),
        "--separator": ([";"], lambda c: c["find_requests"]["options"].separator, ";"),
        "--column": (["path=x"], lambda c: c["find_requests"]["options"].columns, {"path": "x"}),
        "--tier": (["x"], lambda c: c["find_requests"]["options"].tier, "x"),
        "--strict": ([], lambda c: c["finish"]["strict"], True),
    },
    "embed": {
        "--out": (["other.npz"], lambda c: c["write_embeddings"]["out"], Path("other.npz")),
        "--model": (["emodb/dae"], lambda c: c["load"]["model"], "emodb/dae"),
        "--method": (["ce"], lambda c: c["load"]["method"], "ce"),
        "--seed": (["2"], lambda c: c["load"]["seed"], 2),
        "--channel": (["left"], lambda c: c["find_requests"]["channel"], "left"),
        "--root": (["there"], lambda c: c["find_requests"]["options"].root, Path("there")),
        "--encoding": (["cp1252"], lambda c: c["find_requests"]["options"].encoding, "cp1252"),
        "--separator": ([";"], lambda c: c["find_requests"]["options"].separator, ";"),
        "--column": (["path=x"], lambda c: c["find_requests"]["options"].columns, {"path": "x"}),
        "--tier": (["x"], lambda c: c["find_requests"]["options"].tier, "x"),
        "--strict": ([], lambda c: c["finish"]["strict"], True),
    },
    "export": {
        "--onnx": (["other.onnx"], lambda c: c["export_onnx"]["out"], Path("other.onnx")),
        "--model": (["emodb/dae"], lambda c: c["export_onnx"]["model"], "emodb/dae"),
        "--method": (["ce"], lambda c: c["export_onnx"]["method"], "ce"),
        "--seed": (["2"], lambda c: c["export_onnx"]["seed"], 2),
    },
    "report": {
        "--listen": ([], lambda c: "copy_clips" in c, True),
        "--data-root": (["there", "--listen"], lambda c: getattr(heard(c), "data_root", None), Path("there")),
        "--root": (["urdu=x", "--listen"], lambda c: getattr(heard(c), "roots", None), {"urdu": Path("x")}),
        "--cache": (
            ["kept", "--listen"],
            lambda c: (getattr(heard(c), "cache", None), c.get("copy_clips", {}).get("cache")),
            (Path("kept"), Path("kept")),
        ),
    },
    "compare": {},
}


class Model:
    """A model that records what it is asked."""

    classes = ("anger", "happiness", "neutral", "sadness")
    embedder = SimpleNamespace(fingerprint="f")
    chosen = None

    def __init__(self, calls):
        self.calls = calls

    def text(self):
        return "a model"

    def shift(self, adapt, requests):
        return adapt

    def predict_files(self, files, **options):
        self.calls["predict_files"] = options
        return iter([])

    def embed_files(self, files, **options):
        return iter([])


@pytest.fixture
def recorded(xlser, monkeypatch, tmp_path):
    """Call a verb with recorders below it; returns what each of them was given, by name of the argument."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.wav").touch()

    def call(verb, *words):
        calls = {}
        with monkeypatch.context() as patched:
            for path in BELOW[verb]:
                _record(patched, path, calls)
            _record(patched, "experiment.use.session.Session.finish", calls)
            status, _, err = xlser(verb, *words)
        assert status == 0, err
        return calls

    return call


def _record(patched, path, calls):
    owner, name = path.rsplit(".", 1)
    parent, last = owner.rsplit(".", 1)
    home = getattr(importlib.import_module(f"xlser.{parent}"), last) if last.istitle() else None
    home = home or importlib.import_module(f"xlser.{owner}")
    signature = inspect.signature(getattr(home, name))
    answers = {"load": lambda: Model(calls), "opened": _nothing, "export_onnx": lambda: SimpleNamespace(text=str)}
    answers |= {"find_requests": lambda: SimpleNamespace(requests=[Path("a.wav")], notes=[]), "protocol_lines": tuple}

    def recorder(*given, **options):
        bound = signature.bind(*given, **options)
        bound.apply_defaults()
        calls[name] = dict(bound.arguments)
        return answers.get(name, Path)()

    patched.setattr(home, name, recorder)


@contextmanager
def _nothing():
    yield None


@pytest.mark.parametrize(
    ("verb", "option"), [(verb, option) for verb, options in OPTIONS.items() for option in options]
)
def test_an_option_arrives_below_the_verb(recorded, verb, option):
    typed, ask, expected = OPTIONS[verb][option]
    assert ask(recorded(verb, *WORDS[verb], option, *typed)) == expected
    assert ask(recorded(verb, *WORDS[verb])) != expected


@pytest.mark.parametrize("verb", OPTIONS)
def test_no_option_of_a_verb_is_left_out_here(verb):
    params = importlib.import_module(f"xlser.cli.{verb}").command.params
    assert {param.opts[0] for param in params if isinstance(param, click.Option)} == set(OPTIONS[verb])


def test_arguments_keep_their_places(recorded):
    assert recorded("compare", "a", "b")["compare"] == {"first": Path("a"), "second": Path("b")}
    assert recorded("report", "folder")["write_report"] == {"run_dir": Path("folder")}
    assert recorded("export", "run", "--onnx", "m")["export_onnx"]["folder"] == Path("run")
    assert recorded("predict", "run", "clips")["load"]["folder"] == Path("run")
