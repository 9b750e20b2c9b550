"""What every extractor promises, whichever it is; a new one is tested by being in the dict."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from xlser.features.extractors import EXTRACTORS

TIME = np.arange(8_000) / 16_000


@pytest.fixture(params=sorted(EXTRACTORS), scope="module")
def extractor(request):
    return EXTRACTORS[request.param]()


@pytest.fixture(scope="module")
def sounds(voice):
    rng = np.random.default_rng(0)
    return {
        "speech": voice(0.6),
        "short speech": voice(0.1),
        "tone": (0.3 * np.sin(2 * np.pi * 440 * TIME)).astype(np.float32),
        "noise": rng.normal(0, 0.1, TIME.size).astype(np.float32),
        "quiet noise": rng.normal(0, 2**-14, TIME.size).astype(np.float32),
        "speech, then nothing": np.pad(voice(0.3), (0, 4800)),
        "clipped": np.sign(np.sin(2 * np.pi * 200 * TIME)).astype(np.float32),
    }


NAMES = (
    "speech",
    "short speech",
    "tone",
    "noise",
    "quiet noise",
    "speech, then nothing",
    "clipped",
)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_finite_number_a_column(extractor, sounds, name):
    values = extractor(sounds[name])
    assert values.shape == (len(extractor.columns()),)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()


def test_column_names_differ(extractor):
    assert len(set(extractor.columns())) == len(extractor.columns())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_samples_give_the_same_bits(extractor, sounds, name):
    before = sounds[name].copy()
    assert extractor(sounds[name]).tobytes() == type(extractor)()(sounds[name]).tobytes()
    assert np.array_equal(sounds[name], before), "the samples are the caller's"


def test_alone_and_among_threads_the_values_are_the_same(extractor, sounds):
    work = [sounds[name] for name in NAMES] * 4
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(extractor, work))
    assert [values.tobytes() for values in together] == [extractor(samples).tobytes() for samples in work]


def test_other_sounds_give_other_values(extractor, sounds):
    assert len({extractor(samples).tobytes() for samples in sounds.values()}) == len(sounds)


def test_the_identity_is_json_and_names_the_extractor(extractor):
    identity = extractor.identity()
    assert json.loads(json.dumps(identity)) == identity
    assert EXTRACTORS[identity["extractor"]] is type(extractor)
    assert identity["rate"] == extractor.rate


def test_identities_differ():
    texts = {json.dumps(kind().identity(), sort_keys=True) for kind in EXTRACTORS.values()}
    assert len(texts) == len(EXTRACTORS)
