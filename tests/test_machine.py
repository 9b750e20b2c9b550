"""A fault of the machine stops the work and is named; it is never taken for a broken recording."""

import errno
import os
import resource
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path

import numpy as np
import pytest
import soundfile

from xlser.data.audio import AudioFault, PassingFault, probe, read_mono
from xlser.data.manifest import build_manifest
from xlser.errors import CorpusError, MachineError
from xlser.evaluation.audit.measure import measure_corpus
from xlser.experiment.bench.job import run_job
from xlser.features.cache import FeatureCache
from xlser.features.clips import read_clips
from xlser.features.egemaps import Egemaps
from xlser.features.extract import extract
from xlser.features.logmel import LogMel

REPOSITORY = Path(__file__).resolve().parents[1]
NAMES = ("anna_ang_1.wav", "anna_sad_2.wav", "bo_ang_1.wav", "bo_hap_12.wav", "cy_neu_3.wav")
GRAMMAR = r"(?P<speaker>[a-z]+)_(?P<emotion>[a-z]+)_(?P<take>\d+)"


@pytest.fixture
def manifest(corpus, make_card):
    """A corpus that is sound but for a text named as audio and a file cut short."""
    root = corpus(*NAMES)
    (root / "cy_ang_4.wav").write_text("no audio at all")
    (root / "cy_ang_5.wav").write_bytes((root / NAMES[0]).read_bytes()[:2000])
    return build_manifest(make_card(grammar=GRAMMAR), root)


def failing(number, name=""):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number), name) if number else OSError("libx.so: undefined symbol: y")

    return fail


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENOSPC, errno.EIO, errno.ENOMEM, None])
@pytest.mark.parametrize("reader", ["extract", "clips", "measure"])
def test_what_the_system_says_stops_the_reading(manifest, tmp_path, monkeypatch, reader, error):
    module = {"extract": "features.extract", "clips": "features.clips", "measure": "evaluation.audit.measure"}[reader]
    monkeypatch.setattr(f"xlser.{module}.content_hash", failing(error))
    with pytest.raises(MachineError) as caught:
        read(reader, manifest, tmp_path)
    assert "OSError" in "".join(traceback.format_exception(caught.value))  # the original is chained
    assert "None" not in str(caught.value)


def read(reader, manifest, cache):
    if reader == "extract":
        return extract(manifest, LogMel(), cache, progress=False)
    if reader == "clips":
        return read_clips(manifest, cache, progress=False)
    return measure_corpus(manifest, cache, progress=False)


@pytest.mark.parametrize("reader", ["extract", "clips"])
def test_what_is_wrong_with_a_file_costs_its_row_alone(manifest, tmp_path, reader):
    (manifest.root / NAMES[1]).unlink()
    found = read(reader, manifest, tmp_path)
    assert set(found.faults) == {NAMES[1]}
    assert len(found.manifest.frame) == len(NAMES) - 1
    assert sum(found.manifest.left_out_counts().values()) == 3


@pytest.mark.parametrize("error", [MemoryError(), ImportError("no module")])
def test_an_extractor_that_runs_out_of_memory_or_modules_stops(manifest, tmp_path, monkeypatch, error):
    monkeypatch.setattr(LogMel, "__call__", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(MachineError):
        extract(manifest, LogMel(), tmp_path, progress=False)


def test_a_library_that_cannot_be_initialised_is_named(manifest, tmp_path, monkeypatch):
    import opensmile

    monkeypatch.setattr(opensmile, "Smile", lambda *_: (_ for _ in ()).throw(RuntimeError("code 6")))
    with pytest.raises(MachineError, match="openSMILE"):
        extract(manifest, Egemaps(), tmp_path, progress=False)


@pytest.mark.parametrize("library", ["soxr", "opensmile", "soundfile", "torchaudio"])
def test_a_library_that_does_not_load_stops_a_run_before_any_recording_is_left_out(tmp_path, corpus, library):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / f"{library}.py").write_text(f"raise OSError('lib{library}.so: undefined symbol: x')")
    card = tmp_path / "toy.yaml"
    card.write_text(
        "{name: toy, title: Toy, languages: [de], licence: CC0, elicitation: acted, audio: '*.wav', "
        f"grammar: '{GRAMMAR}', emotion: {{ang: anger, sad: sadness, hap: happiness, neu: neutral}}}}"
    )
    names = [f"{s}_{e}_1.wav" for s in ("anna", "bo", "cy", "dora") for e in ("ang", "sad", "hap")]
    root = corpus(*names, rate=22_050)
    words = ["run", "emodb/dae-unsupervised", "--set", f"source={card}", "--set", "targets=[synthetic-tr]"]
    words += ["--set", "split.folds=3", "--root", f"toy={root}", "--cache", str(tmp_path / "cache")]
    code = f"from xlser.cli.main import main; import sys; sys.argv = ['xlser', *{words!r}]; main()"
    path = os.pathsep.join([str(broken), str(REPOSITORY)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert f"lib{library}.so" in done.stderr
    assert "Traceback" not in done.stderr
    assert "left out" not in done.stderr
    assert not list(tmp_path.glob("cache/**/*.npy"))


def test_too_few_file_handles_are_said_and_not_remembered(tmp_path, corpus, make_card):
    root = corpus(*NAMES)
    for path in root.iterdir():
        os.utime(path, (1e9, 1e9))  # settled: a manifest of it may be kept
    code = f"""
        import os, resource
        import soundfile, xlser.data.manifest
        from xlser.corpora.card import Card
        from xlser.errors import MachineError
        card = Card.model_validate({make_card(grammar=GRAMMAR).model_dump(mode="json")!r})
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            os.close(held.pop())
        try:
            from xlser.data.headers import read_headers
            from pathlib import Path
            first = os.open("/dev/null", os.O_RDONLY)
            read_headers(Path({str(root)!r}), {list(NAMES)!r}, jobs=1)
        except MachineError as error:
            os.close(first)
            print("stopped:", error)
        for handle in held:
            os.close(handle)
        manifest = xlser.data.manifest.build_manifest(card, {str(root)!r}, cache={str(tmp_path / "cache")!r})
        print(len(manifest.frame), manifest.left_out)
    """
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=env, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    stopped, last = done.stdout.splitlines()
    assert stopped.startswith("stopped:")
    assert "ulimit -n" in stopped
    assert last == f"{len(NAMES)} {{}}"
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 64  # of this process, unchanged


def test_a_file_that_may_not_be_read_now_is_left_out_and_not_remembered(corpus, make_card, tmp_path, monkeypatch):
    root = corpus(*NAMES)
    for path in root.iterdir():
        os.utime(path, (1e9, 1e9))
    card = make_card(grammar=GRAMMAR)
    real = probe

    def refused(path):
        if Path(path).name == NAMES[0]:
            raise PassingFault("cannot be read: Permission denied")
        return real(path)

    monkeypatch.setattr("xlser.data.headers.probe", refused)
    assert len(build_manifest(card, root, cache=tmp_path / "cache").frame) == len(NAMES) - 1
    monkeypatch.setattr("xlser.data.headers.probe", real)
    assert len(build_manifest(card, root, cache=tmp_path / "cache").frame) == len(NAMES)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_permission_is_a_fault_of_the_file(corpus):
    root = corpus(*NAMES)
    (root / NAMES[0]).chmod(0)
    with pytest.raises(PassingFault, match="Permission"):
        probe(root / NAMES[0])


@pytest.mark.parametrize(("passing", "error"), [(True, MachineError), (False, AudioFault)])
def test_a_system_error_that_passes_is_the_machines_and_one_that_stays_the_files(corpus, monkeypatch, passing, error):
    real, calls = soundfile.SoundFile, []

    def fail(*words, **options):
        calls.append(words)
        if passing and len(calls) > 1:
            return real(*words, **options)
        raise soundfile.LibsndfileError(2, prefix="Error opening 'x': ")  # 2: System error

    root = corpus(*NAMES)
    monkeypatch.setattr(soundfile, "SoundFile", fail)
    with pytest.raises(error):
        read_mono(root / NAMES[0], 16_000)


def test_an_io_error_while_the_cache_is_read_stops(tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path, {"extractor": "x"})
    assert cache.get("0" * 64) is None  # not there: to be made
    monkeypatch.setattr(Path, "read_bytes", failing(errno.EIO))
    with pytest.raises(MachineError, match="cache"):
        cache.get("0" * 64)


def test_a_full_disk_under_the_cache_stops(manifest, tmp_path, monkeypatch):
    monkeypatch.setattr("xlser.atomic.os.replace", failing(errno.ENOSPC))
    with pytest.raises(MachineError, match="disk is full"):
        extract(manifest, LogMel(), tmp_path / "cache", progress=False)


def test_many_recordings_with_one_fault_look_like_the_machine(corpus, make_card):
    root = corpus(*NAMES)
    for name in NAMES:
        (root / name).write_bytes(b"")
    with pytest.raises(CorpusError, match="xlser doctor"):
        build_manifest(make_card(grammar=GRAMMAR), root)


def test_recordings_with_faults_of_their_own_do_not(corpus, make_card):
    root = corpus(*NAMES)
    for number, name in enumerate(NAMES):
        (root / name).write_bytes(b"" if number else b"some text")
    with pytest.raises(CorpusError) as caught:
        build_manifest(make_card(grammar=GRAMMAR), root)
    assert "doctor" not in str(caught.value)


def test_a_machine_fault_stops_a_bench_and_a_bug_does_not(tmp_path, monkeypatch):
    class Job:
        name, folder = "job", tmp_path

    for error, stops in ((MachineError("disk"), True), (MemoryError(), True), (OSError(errno.ENOSPC, ""), True)):
        monkeypatch.setattr("xlser.experiment.bench.job._run", lambda *_, e=error: (_ for _ in ()).throw(e))
        with pytest.raises(MachineError):
            run_job(Job, None)
        assert stops
    monkeypatch.setattr("xlser.experiment.bench.job._run", lambda *_: {}["bug"])
    assert "bug" in run_job(Job, None).failed


@pytest.mark.parametrize("debug", [False, True])
def test_the_traceback_is_shown_when_asked_for(tmp_path, debug):
    words = ["--debug"] * debug + ["corpora", "show", "nowhere"]
    done = subprocess.run([sys.executable, "-m", "xlser.cli.main", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert ("Traceback" in done.stderr) is debug


def test_silence_and_nan_stay_faults_of_the_row(tmp_path):
    for name, samples in (("silent", np.zeros(800)), ("nan", np.full(800, np.nan))):
        soundfile.write(tmp_path / f"{name}.wav", samples, 16_000, subtype="FLOAT")
        with pytest.raises(AudioFault):
            read_mono(tmp_path / f"{name}.wav", 16_000)
