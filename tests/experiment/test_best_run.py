"""`xlser best` from a question to its folder: targets of every kind, whose folder it is, a search that goes on."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
import soundfile
from ragged import make_ragged

from xlser.errors import CorpusError, RecipeError, RunError, XlserError
from xlser.experiment.best.folds import Fold
from xlser.experiment.best.left_out import left_out_table
from xlser.experiment.best.question import BestQuestion
from xlser.experiment.best.run import read_question, run_best, run_left_out
from xlser.experiment.best.shot_table import read_shots
from xlser.experiment.best.targets import find_target
from xlser.experiment.best.trials import Trials
from xlser.experiment.workplace import Workplace
from xlser.reporting.best.by_target import by_target_text, write_by_target
from xlser.reporting.best.page import best_page
from xlser.reporting.html import html
from xlser.vocabulary import UNLABELLED

SOURCES = ("synthetic-de", "synthetic-tr")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ragged(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder of recordings of which nobody says a word."""
    made = make_ragged(tmp_path_factory.mktemp("more"), seed=5)
    folder = made / "field"
    for place, path in enumerate(sorted((made / "synthetic-tr" / "wav").glob("*.wav"))[:24]):
        (folder / str(place % 3)).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / str(place % 3) / f"clip{place}.wav")
    (folder / "notes.txt").write_text("none")
    return folder


@pytest.fixture(scope="module")
def place(data, tmp_path_factory):
    return Workplace(data, cache=tmp_path_factory.mktemp("cache"), progress=False, say=lambda text: None)


def read(text, place, speakers=None):
    (origin,) = find_target(str(text), place, speakers)
    return origin.read()


def test_a_folder_gives_all_audio_below_it_without_labels_and_speakers(recordings, place):
    found = read(recordings, place)
    assert found.name == "field"
    assert len(found) == 24
    assert set(found.frame["emotion"]) == {UNLABELLED}
    assert found.frame["speaker"].str.startswith("unknown:").all()
    assert found.notes == []


@pytest.mark.parametrize("kind", ["bare", "paths", "labelled", "half labelled", "odd labels"])
def test_a_table_is_a_target_with_or_without_labels(recordings, place, tmp_path, kind):
    files = sorted(map(str, recordings.rglob("*.wav")))
    columns = {
        "paths": {"file": files, "who": ["a", "b"] * 12},
        "labelled": {"file": files, "emotion": ["angry", "sad"] * 12, "speaker": ["a", "b", "c"] * 8},
        "half labelled": {"file": files, "emotion": ["angry", ""] * 12},
        "odd labels": {"file": files, "emotion": ["X7", "X9"] * 12},
    }
    table = tmp_path / ("list.txt" if kind == "bare" else "list.csv")
    if kind == "bare":
        table.write_text("\n".join(files))
    else:
        pd.DataFrame(columns[kind]).to_csv(table, index=False)
    found = read(table, place, "who" if kind == "paths" else None)
    assert len(found) == 24
    emotions = {"labelled": {"anger", "sadness"}, "half labelled": {"anger", UNLABELLED}, "odd labels": {"X7", "X9"}}
    assert set(found.frame["emotion"]) == emotions.get(kind, {UNLABELLED})
    speakers = {"paths": {"a", "b"}, "labelled": {"a", "b", "c"}}.get(kind)
    assert speakers is None or set(found.frame["speaker"]) == speakers


def test_a_table_of_speakers_names_them_by_file(recordings, place, tmp_path):
    files = sorted(path.relative_to(recordings) for path in recordings.rglob("*.wav"))
    table = tmp_path / "who.csv"
    pd.DataFrame({"file": files[:20], "speaker": ["ann", "bob"] * 10}).to_csv(table, index=False)
    found = read(recordings, place, str(table))
    known = dict(zip(found.frame["path"], found.frame["speaker"], strict=True))
    assert [known[str(path)] for path in files[:2]] == ["ann", "bob"]
    assert sum(name.startswith("unknown:") for name in known.values()) == 4
    assert any("4 of 24" in note for note in found.notes)


@pytest.mark.parametrize(
    ("target", "speakers", "named"),
    [
        ("nowhere-at-all", None, "nowhere-at-all"),
        ("one.wav", None, "one recording"),
        ("empty", None, "at least an audio file"),
        ("field", "who", "--speakers must be"),
        ("field", "strange.csv", "names no recording"),
    ],
)
def test_what_is_no_target_says_what_it_must_be(recordings, place, tmp_path, target, speakers, named):
    (tmp_path / "empty").mkdir()
    (tmp_path / "strange.csv").write_text("file,speaker\nelsewhere.wav,ann\n")
    soundfile.write(tmp_path / "one.wav", [0.0] * 800, 8000)
    path = recordings if target == "field" else tmp_path / target
    text = target if target.startswith("nowhere") else str(path)
    with pytest.raises(XlserError, match=named):
        read(text, place, speakers and (str(tmp_path / speakers) if "." in speakers else speakers))


def test_a_folder_that_is_called_like_a_source_gets_another_name(recordings, place, tmp_path):
    shutil.copytree(recordings, tmp_path / "synthetic-de")
    sources, target = read_question(BestQuestion(SOURCES, str(tmp_path / "synthetic-de")), place)
    assert [dataset.name for dataset in sources] == list(SOURCES)
    assert target.name == "synthetic-de-target"
    assert set(target.frame["corpus"]) == {target.name}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sources": ()}, "--sources"),
        ({"sources": ("synthetic-de", "synthetic-de")}, "twice"),
        ({"emotions": ("anger",)}, "two at least"),
        ({"emotions": ("anger", "anger")}, "each once"),
        ({"emotions": ("anger", UNLABELLED)}, "there is none"),
        ({"few_shot": "nowhere.csv"}, "--few-shot"),
        ({"encoder": "nowhere/at/all"}, "nowhere"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_written(recordings, place, tmp_path, changes, named):
    with pytest.raises(XlserError, match=named):
        run_best(replace(BestQuestion(SOURCES, str(recordings)), **changes), tmp_path / "out", place, minutes=0.01)
    assert not (tmp_path / "out").exists()


def test_no_time_is_refused(recordings, place, tmp_path):
    with pytest.raises(RecipeError, match="above 0"):
        run_best(BestQuestion(SOURCES, str(recordings)), tmp_path / "out", place, minutes=float("nan"))


def test_shots_are_read_by_their_own_words_wherever_their_paths_start(recordings, tmp_path):
    for path in (recordings / "0" / "clip0.wav", "0/clip0.wav"):
        (tmp_path / "shots.csv").write_text(f"file,emotion\n{path},wütend\n", encoding="utf-8")
        (row,) = read_shots(tmp_path / "shots.csv", recordings).to_dict("records")
        assert row == {"file": str(recordings / "0" / "clip0.wav"), "emotion": "anger"}
    (tmp_path / "odd.csv").write_text("file,emotion\n0/clip0.wav,X7\n")
    with pytest.raises(CorpusError, match="X7"):
        read_shots(tmp_path / "odd.csv", recordings)


@pytest.mark.slow
def test_labelled_clips_correct_the_model_and_are_said_to_be_looked_at(recordings, place, tmp_path):
    rows = [f"{n % 3}/clip{n}.wav,{('angry', 'sad', 'neutral', 'happy')[n % 4]}" for n in range(12)]
    (tmp_path / "shots.csv").write_text("\n".join(["file,emotion", *rows]))
    asked = BestQuestion(SOURCES, str(recordings), few_shot=str(tmp_path / "shots.csv"))
    result = run_best(asked, tmp_path / "best", place, minutes=2)
    assert "few-shot" in result.protocol
    assert "labels" in result.looks_at
    assert "12" not in " ".join(result.notes)
    assert "--few-shot" in html(best_page(result))


def test_trials_are_kept_and_a_line_that_was_cut_is_passed_over(tmp_path):
    log = Trials(tmp_path / "tried.jsonl")
    log.put("a", {"de": 0.5}, 1.0, 2.0)
    log.put("b", {"de": float("nan")}, 1.0, 4.0)
    with (tmp_path / "tried.jsonl").open("a") as file:
        file.write('{"candidate": "c", "sc')
    again = Trials(tmp_path / "tried.jsonl")
    assert again.get("a") == ({"de": 0.5}, 1.0)
    assert again.get("c") is None
    assert again.before == 4.0
    again.put("c", {"de": 0.1}, 1.0, 5.0)
    assert Trials(tmp_path / "tried.jsonl").get("c") == ({"de": 0.1}, 1.0)


@pytest.fixture(scope="module")
def done(recordings, place, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "best"
    return out, run_best(BestQuestion(SOURCES, str(recordings)), out, place, minutes=2)


def test_a_target_without_labels_gets_a_model_and_predictions(done, recordings):
    out, result = done
    assert (result.oracle, result.regret) == (None, None)
    assert len(result.predictions) == 24
    assert {row["role"] for row in result.about["corpora"]} == {"source", "target"}
    assert result.about["corpora"][-1]["speakers"] is None
    from xlser.experiment.use.model import load

    said = next(load(out).predict_files([recordings / "0" / "clip0.wav"]))
    assert said.emotion in result.classes


def test_a_finished_folder_is_left_as_it_is(done, recordings, place):
    out, result = done
    before = (out / "best.json").stat().st_mtime_ns
    again = run_best(BestQuestion(SOURCES, str(recordings)), out, place, minutes=2)
    assert again.chosen == result.chosen
    assert (out / "best.json").stat().st_mtime_ns == before


def test_another_question_in_the_same_folder_is_refused_and_says_what_differs(done, recordings, place):
    out, _ = done
    with pytest.raises(RunError, match="emotions was"):
        run_best(BestQuestion(SOURCES, str(recordings), emotions=("anger", "sadness")), out, place)


def test_a_folder_with_other_things_is_refused(recordings, place, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        run_best(BestQuestion(SOURCES, str(recordings)), tmp_path, place)


def test_what_has_changed_is_kept_aside_and_done_anew(done, recordings, place, tmp_path):
    field, out = tmp_path / "field", tmp_path / "best"
    shutil.copytree(recordings, field)
    run_best(BestQuestion(SOURCES, str(field)), out, place, minutes=2)
    (field / "0" / "clip0.wav").unlink()
    again = run_best(BestQuestion(SOURCES, str(field)), out, place, minutes=2)
    assert len(again.predictions) == 23
    assert len(list(tmp_path.glob("best-before-*/best.json"))) == 1


def test_a_search_that_was_stopped_goes_on_to_the_same_result(done, recordings, place, tmp_path, monkeypatch):
    _, result = done
    calls, fold = [], Fold.ua

    def ua(self, probabilities):
        calls.append(self.name)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return fold(self, probabilities)

    monkeypatch.setattr(Fold, "ua", ua)
    alone = replace(place, jobs=1)
    with pytest.raises(KeyboardInterrupt):
        run_best(BestQuestion(SOURCES, str(recordings)), tmp_path / "best", alone, minutes=2)
    kept = [json.loads(line)["candidate"] for line in (tmp_path / "best" / "tried.jsonl").read_text().splitlines()]
    assert len(kept) == 4
    again = run_best(BestQuestion(SOURCES, str(recordings)), tmp_path / "best", alone, minutes=2)
    assert len(calls) == 9 + 2 * (len(again.candidates) - 4)
    for name in ("chosen", "predictions", "decisions", "looks_at"):
        assert getattr(again, name) == getattr(result, name)
    assert [(row.name, row.validated) for row in again.candidates] == [
        (row.name, row.validated) for row in result.candidates
    ]


def test_every_source_is_the_target_of_the_others(place, tmp_path):
    results = run_left_out(BestQuestion(SOURCES, ""), place, minutes=0.01)
    assert [one.target for one in results] == list(SOURCES)
    table = left_out_table(results)
    page = write_by_target(results, table, tmp_path)
    assert [*table["target"]] == [*SOURCES, "mean"]
    assert "to-synthetic-tr.html" in page.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} >= {"leave-one-out.csv", "leave-one-out.json"}
    assert "mean" in by_target_text(results, table)
