import csv
import ctypes
import hashlib
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from xlser.corpora import acting, espeak, synthetic
from xlser.corpora.acting import perform, plan
from xlser.corpora.card import load_card
from xlser.corpora.espeak import speak
from xlser.corpora.scan import scan
from xlser.corpora.synthetic import synthesise
from xlser.errors import CardError, CorpusError, MachineError, XlserError

LANGUAGES = ("de", "en", "es", "fr", "it", "tr", "el", "ur")
SMALL = {"sentences": 1, "speakers": 2, "progress": False}


@pytest.fixture(scope="module")
def card():
    return load_card("synthetic-de")


def contents(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def in_subprocess(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], check=False, capture_output=True, text=True
    )


def test_speech_does_not_depend_on_what_was_said_before():
    voices = ["de+f1", "de+m1", "de+f2", "de+klatt2", "el+m3"]
    alone = {voice: speak("Guten Tag.", voice)[0] for voice in voices}
    for voice in reversed(voices):
        assert np.array_equal(speak("Guten Tag.", voice)[0], alone[voice]), voice


def test_speech_does_not_depend_on_a_library_that_someone_else_uses():
    import espeakng_loader

    alone = speak("Guten Tag.", "de+m1")[0]
    other = ctypes.CDLL(espeakng_loader.get_library_path())
    other.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0x8000)
    try:
        assert np.array_equal(speak("Guten Tag.", "de+m1")[0], alone)
        assert np.array_equal(speak("Guten Tag.", "de+m1")[0], alone)
    finally:
        other.espeak_Terminate()
        espeak._unload(other)


def test_speech_leaves_the_locale_alone():
    import locale

    before = locale.setlocale(locale.LC_CTYPE)
    speak("Guten Tag.", "de")
    assert locale.setlocale(locale.LC_CTYPE) == before


@pytest.mark.parametrize(
    ("voice", "said"),
    [
        ("qq", "no voice 'qq'"),
        ("de+zz9", "no voice variant 'zz9'"),
        ("de+f11", "did you mean 'f1'"),
        ("de+", "variant"),
    ],
)
def test_an_unknown_voice_is_named(voice, said):
    with pytest.raises(XlserError, match=said):
        speak("Guten Tag.", voice)


@pytest.mark.parametrize("setting", [{"rate": 79}, {"pitch": 100}, {"range": -1}, {"volume": 201}, {"word_gap": -1}])
def test_a_setting_out_of_range_is_named(setting):
    with pytest.raises(XlserError, match=rf"`{next(iter(setting))}` must be between .* but is"):
        speak("Guten Tag.", "de", **setting)


def test_silence_is_an_error():
    with pytest.raises(XlserError, match="nothing to say"):
        speak("", "de")


def test_a_missing_library_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(XlserError, match="pip install"):
        speak("Guten Tag.", "de")


def test_two_processes_make_the_same_bytes(card, tmp_path):
    code = (
        "import sys; from xlser.corpora.card import load_card; from xlser.corpora.synthetic import synthesise; "
        "synthesise(load_card('synthetic-de'), sys.argv[1], sentences=1, speakers=2, progress=False)"
    )
    assert in_subprocess(code, tmp_path / "a").returncode == 0
    synthesise(card, tmp_path / "b", **SMALL)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert len(contents(tmp_path / "a")) == 2 * 6 + 3  # two tables, and the record of what was written


def test_an_utterance_does_not_depend_on_what_else_is_made(card, tmp_path):
    few = contents(synthesise(card, tmp_path / "few", **SMALL))
    more = contents(synthesise(card, tmp_path / "more", sentences=2, speakers=2, takes=2, progress=False))
    assert all(more[name] == few[name] for name in few if name.endswith(".wav"))


def test_another_seed_is_another_corpus(card, tmp_path):
    one, two = (contents(synthesise(card, tmp_path / str(seed), seed=seed, **SMALL)) for seed in (0, 1))
    assert one.keys() == two.keys()
    assert all(one[name] != two[name] for name in one)


def test_a_killed_run_leaves_no_half_corpus(card, tmp_path):
    code = (
        "import os, sys; from xlser.corpora import card, synthetic; real = synthetic.perform; said = []\n"
        "def perform(u):\n    said.append(u)\n    return real(u) if len(said) < 4 else os._exit(9)\n"
        "synthetic.perform = perform; synthetic.synthesise(card.load_card('synthetic-de'), sys.argv[1], progress=False)"
    )
    root = tmp_path / "corpus"
    assert in_subprocess(code, root).returncode == 9
    assert not root.exists()
    assert len(scan(card, synthesise(card, root, **SMALL)).rows) == 12


def test_a_failed_run_cleans_up_and_keeps_what_was_there(card, tmp_path, monkeypatch):
    root = synthesise(card, tmp_path / "corpus", **SMALL)
    before = contents(root)
    monkeypatch.setattr(soundfile, "write", lambda *_, **__: (_ for _ in ()).throw(OSError("No space left on device")))
    with pytest.raises(MachineError, match="No space left"):
        synthesise(card, root, seed=1, **SMALL)
    assert contents(root) == before
    assert list(tmp_path.iterdir()) == [root]


def test_a_second_call_does_nothing(card, tmp_path, monkeypatch):
    root = synthesise(card, tmp_path / "corpus", **SMALL)
    monkeypatch.setattr(synthetic, "perform", lambda _: pytest.fail("spoken again"))
    assert synthesise(card, root, **SMALL) == root


def test_a_missing_file_or_another_version_is_made_again(card, tmp_path, monkeypatch):
    root = synthesise(card, tmp_path / "corpus", **SMALL)
    before = contents(root)
    (root / "wav/01a01Wa.wav").unlink()
    assert contents(synthesise(card, root, **SMALL)) == before
    monkeypatch.setattr(synthetic, "SYNTHESIS_VERSION", synthetic.SYNTHESIS_VERSION + 1)
    assert (synthesise(card, root, **SMALL) / "SYNTHETIC.txt").read_bytes() != before["SYNTHETIC.txt"]
    assert list(tmp_path.iterdir()) == [root]


@pytest.mark.parametrize("name", ["thesis.doc", "wav/mine.wav"])
def test_a_folder_of_someone_else_is_left_alone(card, tmp_path, name):
    path = tmp_path / "corpus" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(CorpusError, match="left alone"):
        synthesise(card, tmp_path / "corpus", **SMALL)
    assert path.read_text() == "mine"


def test_a_file_of_someone_else_beside_a_synthetic_corpus_is_left_alone(card, tmp_path):
    root = synthesise(card, tmp_path / "corpus", **SMALL)
    (root / "thesis.doc").write_text("mine")
    with pytest.raises(CorpusError, match=re.escape("thesis.doc")):
        synthesise(card, root, seed=1, **SMALL)


def test_ratings_are_in_scale_and_agree_with_the_files(card, tmp_path):
    root = synthesise(card, tmp_path / "corpus", **SMALL)
    table = list(csv.DictReader((root / "ratings.csv").open()))
    assert sorted(row["filename"] for row in table) == sorted(p.name for p in (root / "wav").iterdir())
    assert all(re.fullmatch(r"[1-5]\.\d\d", row[name]) for row in table for name in ("valence", "activation"))
    found = scan(card, root)
    assert not found.notes
    assert not found.left_out
    planned = {u.name: u for u in plan(card, sentences=1, speakers=2)}
    for row in found.rows:
        utterance = planned[row["path"][4:-4]]
        assert (row["valence_raw"], row["activation_raw"]) == (utterance.valence, utterance.activation)


def test_points_scatter_around_their_emotion(card):
    for code, emotion in card.emotion.items():
        points = np.array([(u.valence, u.activation) for u in plan(card) if u.name[5] == code])
        assert len(points) == card.expect.emotion[code]
        assert np.allclose((points.mean(axis=0) - 3) / 2, acting.CENTRES[emotion], atol=0.1)
        assert np.all(points.std(axis=0) > 0.2)


def test_activation_is_louder_and_faster(card):
    spoken = [(u, perform(u)) for u in plan(card, sentences=2) if u.name[5] in "WFTL"]
    seconds = {code: np.mean([len(x) / sr for u, (x, sr) in spoken if u.name[5] == code]) for code in "WFTL"}
    level = {code: np.mean([rms(x) for u, (x, _) in spoken if u.name[5] == code]) for code in "WFTL"}
    for high in "WF":
        for low in "TL":
            assert seconds[high] < 0.85 * seconds[low]
            assert level[high] > 1.2 * level[low]


def test_valence_is_heard_where_activation_is_the_same(card):
    base = next(u for u in plan(card) if u.name[5] == "N")
    speaker = acting._cast(card, 0)[0]
    low, high = (acting._style(speaker, valence, 0.5, [0.0] * 6) for valence in (-0.6, 0.6))
    assert high.range > low.range + 20
    dark, bright = (brightness(perform(replace(base, style=style))[0]) for style in (high, low))
    assert bright > 1.1 * dark


def rms(x):
    return float(np.sqrt(np.mean((x / 32768) ** 2)))


def brightness(x):
    power = np.abs(np.fft.rfft(x.astype(float))) ** 2
    return float((power * np.arange(len(power))).sum() / power.sum() / len(power))


def test_the_tilt_keeps_the_level():
    x = speak("Guten Tag.", "de")[0]
    for effort in (-0.6, 0.0, 0.6):
        assert rms(acting._tilted(x, effort)) == pytest.approx(rms(x), rel=0.02)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_card_speaks(language, tmp_path):
    card = load_card(f"synthetic-{language}")
    assert card.languages == (language,)
    assert card.synthetic
    root = synthesise(card, tmp_path / "corpus", sentences=1, speakers=1, progress=False)
    assert len(scan(card, root).rows) == 6
    info = soundfile.info(root / "wav/01a01Na.wav")
    assert (info.samplerate, info.channels, info.subtype) == (22050, 1, "PCM_16")
    assert info.duration > 0.8


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plan_is_what_the_card_expects(language):
    card = load_card(f"synthetic-{language}")
    utterances = plan(card)
    assert len(utterances) == card.expect.utterances == len({u.name for u in utterances})
    cast = acting._cast(card, 0)
    assert len({speaker.variant for speaker in cast}) == card.expect.speakers
    for speaker in cast:
        sex = "male" if speaker.variant in acting.MALE else "female"
        assert re.fullmatch(card.speaker_sex[sex], speaker.number)


def test_languages_have_different_speakers():
    casts = {tuple(acting._cast(load_card(f"synthetic-{language}"), 0)) for language in LANGUAGES}
    assert len(casts) == len(LANGUAGES)


def test_draws_are_fixed_for_all_time():
    digest = hashlib.sha256(",".join(f"{z:.9f}" for z in acting._normals(100, 0, "x")).encode()).hexdigest()
    assert digest.startswith("fafed04b1184")
    assert abs(np.mean(acting._normals(10_000, 1))) < 0.05
    assert np.std(acting._normals(10_000, 1)) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"synthesis": None}, "recorded, not made"),
        ({"emotion": {"W": "anger", "X": "envy"}}, "'envy' cannot be synthesised"),
        ({"grammar": r"S(?P<speaker>\d+)(?P<emotion>\w)"}, "01a01Wa"),
    ],
)
def test_a_card_that_cannot_be_synthesised_says_why(card, tmp_path, change, said):
    with pytest.raises(CardError, match=said):
        synthesise(card.model_copy(update=change), tmp_path / "corpus")


@pytest.mark.parametrize("count", [{"sentences": 7}, {"sentences": 0}, {"speakers": 9}, {"takes": 27}])
def test_a_count_out_of_range_is_named(card, tmp_path, count):
    with pytest.raises(XlserError, match=rf"`{next(iter(count))}` must be between 1 and"):
        synthesise(card, tmp_path / "corpus", **count)


def test_an_unknown_voice_in_a_card_is_named_and_nothing_is_left(card, tmp_path):
    odd = card.model_copy(update={"synthesis": card.synthesis.model_copy(update={"voice": "xx"})})
    with pytest.raises(XlserError, match="no voice 'xx'"):
        synthesise(odd, tmp_path / "corpus", **SMALL)
    assert not list(tmp_path.iterdir())
