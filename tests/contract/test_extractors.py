"""What every extractor promises, whichever it is; a new one is tested by being in the dict."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from xlser.features.extractors import EXTRACTORS, called, classes, make_extractor, written_as

# Options that an extractor cannot do without, and for each that has any, some that are not its defaults.
NEEDED = {"encoder": {"weights": "random:tiny"}}
OTHER = {"logmel": {"bands": 20}, "encoder": {"weights": "random:tiny", "layer": [0, 1], "pooling": "mean+std"}}
TIME = np.arange(8_000) / 16_000


@pytest.fixture(params=sorted(EXTRACTORS), scope="module")
def extractor(request):
    return EXTRACTORS[request.param](**NEEDED.get(request.param, {}))


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
    assert extractor(sounds[name]).tobytes() == replace(extractor)(sounds[name]).tobytes()
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
    made = [make_extractor({name: NEEDED.get(name, {})}) for name in EXTRACTORS]
    made += [make_extractor({name: options}) for name, options in OTHER.items()]
    assert len({json.dumps(one.identity(), sort_keys=True) for one in made}) == len(made)


def test_options_are_arguments_that_never_change_and_what_a_recipe_writes_comes_back(extractor):
    written = written_as(extractor)
    assert make_extractor(json.loads(json.dumps(written))) == extractor
    assert called(written).split(" ")[0] == extractor.name
    with pytest.raises(FrozenInstanceError):
        extractor.rate = 8_000
    with pytest.raises(ValueError, match=rf"{extractor.name}: unknown option 'optoin'"):
        make_extractor({extractor.name: {"optoin": 1}})


def test_python_users_find_every_extractor_where_features_are():
    import xlser.features

    assert set(classes()) <= set(dir(xlser.features))
    assert all(getattr(xlser.features, name) is kind for name, kind in classes().items())
    with pytest.raises(AttributeError, match="no extractor 'Egemap'; known: Egemaps"):
        xlser.features.Egemap


def test_side_by_side_is_one_vector_behind_the_other(extractor, sounds):
    both = extractor + make_extractor({"logmel": {"bands": 7}})
    alone = [part(sounds["speech"]) for part in both.parts]
    assert both(sounds["speech"]).tobytes() == np.concatenate(alone).tobytes()
    assert len(set(both.columns())) == sum(map(len, alone))
    assert make_extractor(written_as(both)) == both
    assert (both + make_extractor({"logmel": {"bands": 8}})).parts[:2] == both.parts
    assert both.shortest == max(part.shortest for part in both.parts)
    with pytest.raises(ValueError, match="two different extractors"):
        extractor + extractor


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("egemap", "unknown extractor 'egemap'; did you mean 'egemaps'"),
        ({"logmel": {"bands": 0, "hop": "x"}}, r"logmel: `bands` .* is 0 instead\. `hop` .* is 'x'"),
        ({"logmel": 3}, "logmel: must be a mapping of options"),
        ({"logmel": {}, "egemaps": {}}, "must be a name"),
        ({"encoder": {"layer": 1}}, "encoder: `weights` is missing"),
        (["logmel", "mfc", {"encoder": {}}], "unknown extractor 'mfc'.*; encoder: `weights` is missing"),
        ([], "two different extractors"),
        (None, "must be a name"),
    ],
)
def test_what_is_no_extractor_is_refused_with_the_way_out(written, wrong):
    with pytest.raises(ValueError, match=wrong):
        make_extractor(written)
