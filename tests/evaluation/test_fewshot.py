"""Few-shot curves against stores that are swapped and extended one by one, and against loops over resamples."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from sklearn.preprocessing import StandardScaler

from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.corrected import counted
from xlser.evaluation.corrections import WAYS as CORRECTIONS
from xlser.evaluation.corrections import unit
from xlser.evaluation.fewshot import _draw_weights, area, few_shot
from xlser.evaluation.interpolate import Interpolation
from xlser.evaluation.labelled_clips import best_way, fit_way, left_out, make_shots
from xlser.evaluation.readout import Part
from xlser.evaluation.shots import FIXED, Ways, draw_shots
from xlser.store.datastore import Datastore

CLASSES = ("neutral", "anger", "joy")  # not in the order of the alphabet
NAMES = np.array(CLASSES)
WAYS = ["swapped", "extended", "balanced", "interpolated", "probe", "prototype"]
CORRECTED = ["zero-shot", *CORRECTIONS, "chosen", "oracle"]
CHOSEN = {"k": 6, "distance": "l2", "temperature": 0.7, "scale": 2.0, "weight": 0.4}


def blobs(rows, seed, shift=0.0, speakers=7):
    """Synthetic rows about a centre a class, their codes, their speakers, and a model's unsure probabilities."""
    rng = np.random.default_rng(seed)
    codes, who = rng.integers(len(CLASSES), size=rows), rng.integers(speakers, size=rows)
    offsets = rng.normal(size=(speakers, 4)) * 0.5
    found = np.eye(4)[codes] * 2 + offsets[who] + rng.normal(size=(rows, 4)) + shift
    logits = rng.normal(size=(rows, len(CLASSES))) + np.eye(len(CLASSES))[codes]
    return found, codes, np.array([f"s{n}" for n in who]), np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def part(embeddings, codes):
    return Part(embeddings, NAMES[codes].astype(object), {})


@pytest.fixture(scope="module")
def source():
    return blobs(90, 0)[:2]


@pytest.fixture(scope="module")
def target():
    return blobs(120, 1, shift=1.0)


@pytest.fixture(scope="module")
def curves(source, target):
    rows, codes, speakers, model = target
    return few_shot(
        part(*source),
        part(rows, codes),
        speakers,
        CLASSES,
        [5, 1],
        draws=4,
        seed=3,
        probabilities=model,
        chosen=CHOSEN,
        resamples=60,
    )


def pick(table, **which):
    return [row for row in table if all(row[name] == value for name, value in which.items())]


# --- draws


def natural(seed, rows=400, speakers=29):
    """Synthetic labels as in talk shows: most speakers have but one or two classes, and not as many clips."""
    rng = np.random.default_rng(seed)
    leaning = rng.dirichlet([0.3] * 4, size=speakers)
    who = rng.choice(speakers, size=rows, p=rng.dirichlet([1.0] * speakers))
    return np.array([rng.choice(list("abcd"), p=leaning[one]) for one in who]), who.astype(str)


@pytest.mark.parametrize("k", [1, 5, 20])
def test_each_draw_has_k_clips_a_class_and_leaves_other_speakers_of_every_class(k):
    labels, speakers = natural(0)
    for shots in draw_shots(labels, speakers, list("dbca"), k, draws=30, seed=2):
        assert shots.shape == (4, k)
        assert len(set(shots.ravel().tolist())) == 4 * k
        assert (labels[shots] == np.array(list("dbca"))[:, None]).all()
        assert set(labels[~np.isin(speakers, speakers[shots])]) == set("abcd")


@pytest.mark.parametrize("k", [1, 4, 12])
def test_no_speaker_of_a_draw_could_be_spared(k):
    labels, speakers = natural(3)
    for shots in draw_shots(labels, speakers, list("abcd"), k, draws=20, seed=0):
        givers = set(speakers[shots].ravel().tolist())
        for spared in givers:
            left = labels[np.isin(speakers, list(givers - {spared}))].tolist()
            assert min(left.count(name) for name in "abcd") < k


def test_one_speaker_is_enough_where_each_has_everything():
    labels, speakers = np.tile(["a", "b"], 30), np.repeat(["x", "y", "z"], 20)
    draws = draw_shots(labels, speakers, ["a", "b"], 10, draws=30, seed=0)
    assert {len(set(speakers[shots].ravel())) for shots in draws} == {1}
    assert {speakers[shots[0, 0]] for shots in draws} == {"x", "y", "z"}
    assert {len(set(speakers[s].ravel())) for s in draw_shots(labels, speakers, ["a", "b"], 11, draws=9, seed=0)} == {2}


def test_draws_depend_on_the_seed_and_not_on_their_number():
    labels, speakers = natural(1)
    one, two = (draw_shots(labels, speakers, list("abcd"), 5, draws=n, seed=7) for n in (3, 8))
    assert all((a == b).all() for a, b in zip(one, two[:3], strict=True))
    assert len({shots.tobytes() for shots in two}) == 8
    assert (draw_shots(labels, speakers, list("abcd"), 5, draws=1, seed=8)[0] != one[0]).any()


def test_rows_of_no_class_are_never_drawn():
    labels, speakers = natural(1)
    labels = labels.astype(object)
    labels[::3] = None
    for shots in draw_shots(labels, speakers, ["a", "b"], 3, draws=10, seed=0):
        assert set(labels[shots].ravel()) == {"a", "b"}


@pytest.mark.parametrize(
    ("labels", "speakers", "k", "message"),
    [
        ("aabbb", "xyxyx", 2, "is 2 and 'a' has 2"),
        ("aabb", "xyxx", 1, "all 2 clips of 'b' are of one"),
        ("aabb", "xxxx", 1, "all 2 clips of 'a' are of one"),
        ("aaaa", "xxyy", 1, "'b' has 0"),
        # Of three clips of two speakers with two clips each, both must give.
        ("aaaabbbbb", "xxyyxxyyy", 3, "of the 2 speakers it never did: 'a' has 4 clips of 2 speakers"),
        ("", "", 1, "'a' has 0"),
        ("aabb", "xyxy", 0, "at least 1, but are 0"),
        ("aabb", "xyx", 1, "a row a label"),
    ],
)
def test_draws_that_cannot_be_are_refused(labels, speakers, k, message):
    with pytest.raises(ValueError, match=message):
        draw_shots(list(labels), list(speakers), ["a", "b"], k, draws=2, seed=0)


def test_an_unlucky_order_is_drawn_anew():
    # Both x and y would give where they come before z, and z has no clip of class a that could be asked.
    labels, speakers = list("aab" + "aab" + "bb"), list("xxxyyyzz")
    draws = draw_shots(labels, speakers, ["a", "b"], 2, draws=30, seed=0)
    givers = [{speakers[row] for row in shots.ravel()} for shots in draws]
    assert {frozenset(names) for names in givers} == {frozenset("xz"), frozenset("yz")}


# --- ways


def slow_ways(source, target, shots, chosen, model):
    """Return what each way predicts for all rows of the target: stores built anew, and scikit-learn."""
    (rows, codes), (others, truth, *_) = source, target
    given = truth[shots].ravel()
    store = Datastore(rows, [f"source/{n}" for n in range(len(rows))], metric=chosen["distance"], labels=NAMES[codes])
    new = Datastore(others[shots.ravel()], shots.ravel(), metric=chosen["distance"], labels=NAMES[given])
    mix = Interpolation(store, codes, CLASSES, chosen, CLASSES)
    swapped = Interpolation(store, codes, CLASSES, chosen | {"k": min(chosen["k"], len(new))}, CLASSES).with_store(new)
    extended = mix.with_store(store.extend(new))
    out = {"swapped": swapped.distribution(others), "extended": extended.distribution(others)}
    out["interpolated"] = extended.predict(others, model)
    # Every shot stands there so often that the shots are as many as the rows of the source.
    distances, positions = extended.neighbours(others)
    votes = np.where(positions < len(rows), 1, len(rows) / len(new))[:, :, None] * np.eye(3)[extended.codes[positions]]
    heat = np.exp(-(distances - distances.min(1, keepdims=True)) / chosen["temperature"] / chosen["scale"])
    out["balanced"] = (votes * heat[:, :, None]).sum(1)
    scaler = StandardScaler().fit(rows)
    fitted, asked = scaler.transform(others[shots.ravel()]), scaler.transform(others)
    found = {"probe": LogisticRegression(class_weight="balanced").fit(fitted, given).predict(asked)}
    found["prototype"] = slow_prototype(fitted, given, asked)
    return {name: values.argmax(1) for name, values in out.items()} | found


def slow_prototype(rows, codes, queries):
    means = [rows[codes == code].mean(0) for code in range(3)]
    return np.array([np.argmin([np.linalg.norm(query - mean) for mean in means]) for query in queries])


@pytest.mark.parametrize("distance", ["l2", "cosine"])
@pytest.mark.parametrize("neighbours", [1, 6, 40])
def test_the_ways_are_those_of_stores_built_anew(source, target, distance, neighbours):
    chosen = CHOSEN | {"k": neighbours, "distance": distance, "scale": 2.0 if distance == "l2" else 0.3}
    rows, codes, speakers, model = target
    (shots,) = draw_shots(NAMES[codes], speakers, CLASSES, 5, draws=1, seed=0)
    ways = Ways.of(*source, rows, 3, probabilities=model, chosen=chosen)
    for k, found in ways.with_shots(shots, [1, 2, 5]).items():
        expected = slow_ways(source, target, shots[:, :k], chosen, model)
        assert sorted(found) == sorted(WAYS)
        for name, values in found.items():
            assert (values == expected[name]).mean() > 0.99, (name, k)  # float32 distances may tie


def test_without_shots_a_way_reads_the_source_alone(source, target):
    rows, codes, _, model = target
    found = Ways.of(*source, rows, 3, probabilities=model, chosen=CHOSEN).without_shots()
    store = Datastore(source[0], range(90), labels=NAMES[source[1]])
    mix = Interpolation(store, source[1], CLASSES, CHOSEN, CLASSES)
    scaler = StandardScaler().fit(source[0])
    pair = scaler.transform(source[0]), source[1]
    for name in ("swapped", "extended", "balanced"):
        assert (found[name] == mix.distribution(rows).argmax(1)).all()
    assert (found["interpolated"] == mix.predict(rows, model).argmax(1)).all()
    probe = LogisticRegression(class_weight="balanced").fit(*pair)
    assert (found["probe"] == probe.predict(scaler.transform(rows))).all()
    assert (found["prototype"] == slow_prototype(*pair, scaler.transform(rows))).all()
    assert 0.4 < (found["probe"] == codes).mean() < 1


def test_what_is_not_chosen_is_fixed_and_its_scale_is_the_sources(source, target):
    ways = Ways.of(*source, target[0], 3)
    distances = np.sort(((source[0][:, None] - source[0]) ** 2).sum(2), axis=1)[:, 1 : FIXED["k"] + 1]
    assert ways.chosen == FIXED | {"scale": pytest.approx(np.median(distances), rel=1e-4)}
    assert "interpolated" not in ways.without_shots()
    assert Ways.of(*source, target[0], 3, chosen={"k": 3}).chosen["k"] == 3


def test_few_source_rows_and_a_constant_column_do_no_harm():
    ways = Ways.of(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([0, 1]), np.array([[1.1, 5.0], [2.9, 7.0]]), 2)
    assert {name: codes.tolist() for name, codes in ways.without_shots().items()}["prototype"] == [0, 1]
    assert Ways.of(np.ones((1, 2)), np.zeros(1, int), np.ones((3, 2)), 2).near.shape == (3, 1)


# --- curves


def test_the_columns_and_rows_of_the_tables(curves):
    table, areas = curves
    assert [(row["way"], row["metric"], row["k"]) for row in table] == [
        (way, metric, k) for way in [*WAYS, *CORRECTED] for metric in ("UA", "WA", "macro-F1") for k in (0, 1, 5)
    ]
    assert [(row["way"], row["metric"]) for row in areas] == [
        (way, metric) for way in [*WAYS, *CORRECTED] for metric in ("UA", "WA", "macro-F1")
    ]
    assert {row["shots"] for row in pick(table, k=5)} == {15}
    for row in pick(table, k=0):
        assert row["value"] == row["without"]
        assert np.isnan([row["gain"], row["gain_low"], row["gain_high"]]).all()
    for row in table:
        assert row["low"] <= row["value"] <= row["high"]
        assert row["k"] == 0 or row["gain"] == pytest.approx(row["value"] - row["without"])


def test_values_are_the_means_of_draws_scored_by_sklearn(source, target, curves):
    rows, codes, speakers, model = target
    score = {
        "UA": balanced_accuracy_score,
        "WA": accuracy_score,
        "macro-F1": lambda t, p: f1_score(t, p, average="macro"),
    }
    ways = Ways.of(*source, rows, 3, probabilities=model, chosen=CHOSEN)
    draws = draw_shots(NAMES[codes], speakers, CLASSES, 5, draws=4, seed=3)
    asked = [~np.isin(speakers, speakers[shots]) for shots in draws]
    read = [ways.with_shots(shots, [1, 5]) | {0: ways.without_shots()} for shots in draws]
    assert {row["queries"] for row in curves[0]} == {round(np.mean([mask.sum() for mask in asked]))}
    for row in (row for row in curves[0] if row["way"] in WAYS):
        pairs = [(codes[mask], found[row["k"]][row["way"]][mask]) for found, mask in zip(read, asked, strict=True)]
        scores = [score[row["metric"]](*pair) for pair in pairs]
        assert row["value"] == pytest.approx(np.mean(scores))
        assert row["sd_draws"] == pytest.approx(np.std(scores, ddof=1))


def test_what_is_chosen_is_read_by_the_way_that_shots_left_out_choose(source, target, curves):
    rows, codes, speakers, model = target
    scaler = StandardScaler().fit(source[0])
    home, away = (unit(np.clip(scaler.transform(values), -5, 5)) for values in (source[0], rows))
    scores, oracle = {"chosen": []} | {way: [] for way in CORRECTIONS}, {}
    ways = []
    for draw in draw_shots(NAMES[codes], speakers, CLASSES, 5, draws=4, seed=3):
        asked, known = ~np.isin(speakers, speakers[draw]), draw.ravel()
        shots = make_shots(away[known], model[known], codes[known], home, np.eye(3)[source[1]])
        for way in CORRECTIONS:
            said = fit_way(way, shots).posterior(away, model).argmax(1)
            scores[way].append(balanced_accuracy_score(codes[asked], said[asked]))
        ways.append(best_way(left_out(shots)))
        said = fit_way(ways[-1], shots).posterior(away, model).argmax(1)
        scores["chosen"].append(balanced_accuracy_score(codes[asked], said[asked]))
    for way, several in scores.items():
        row = pick(curves[0], way=way, metric="UA", k=5)[0]
        assert row["value"] == pytest.approx(np.mean(several))
        oracle[way] = row["value"]
    assert pick(curves[0], way="chosen", metric="UA", k=5)[0]["ways"] == counted(ways)
    best = pick(curves[0], way="oracle", metric="UA", k=5)[0]
    zero = pick(curves[0], way="zero-shot", metric="UA", k=5)[0]
    assert best["value"] == max([zero["value"], *oracle.values()])
    assert oracle.get(best["ways"], zero["value"]) == best["value"]
    assert zero["gain"] == 0
    assert pick(curves[0], way="chosen", metric="UA", k=0)[0]["value"] == zero["value"]


def test_intervals_are_those_of_a_loop_over_speakers_and_draws(source, target, curves):
    rows, codes, speakers, model = target
    ways = Ways.of(*source, rows, 3, probabilities=model, chosen=CHOSEN)
    draws = draw_shots(NAMES[codes], speakers, CLASSES, 5, draws=4, seed=3)
    read = [ways.with_shots(shots, [1, 5]) | {0: ways.without_shots()} for shots in draws]
    bootstrap, over_draws = SpeakerBootstrap(speakers, 60, 3), _draw_weights(4, 60, 3)
    values = {0: [], 1: [], 5: []}
    for weights, held in zip(bootstrap.weights[1:], over_draws[1:], strict=True):
        taken = np.concatenate([np.flatnonzero(speakers == name) for name in np.repeat(bootstrap.speakers, weights)])
        for k, means in values.items():
            scores = []
            for draw in np.repeat(np.arange(4), held.astype(int)):
                judged = taken[~np.isin(speakers[taken], speakers[draws[draw]])]
                present = np.unique(codes[judged])
                hits = read[draw][k]["prototype"][judged] == codes[judged]
                if len(judged):
                    scores.append(np.mean([hits[codes[judged] == code].mean() for code in present]))
            means.append(np.mean(scores) if scores else np.nan)
    values = {k: np.array(found) for k, found in values.items()}
    row = pick(curves[0], way="prototype", metric="UA", k=5)[0]
    assert [row["low"], row["high"]] == pytest.approx(np.nanquantile(values[5], [0.025, 0.975]))
    gains = np.nanquantile(values[5] - values[0], [0.025, 0.975])
    assert [row["gain_low"], row["gain_high"]] == pytest.approx(gains)
    whole = pick(curves[1], way="prototype", metric="UA")[0]
    areas = [area([0, 1, 5], found) for found in zip(*values.values(), strict=True)]
    assert [whole["low"], whole["high"]] == pytest.approx(np.nanquantile(areas, [0.025, 0.975]))


def test_draw_weights_hold_every_draw_once_and_then_as_many():
    weights = _draw_weights(5, 200, 1)
    assert (weights[0] == 1).all()
    assert (weights.sum(1) == 5).all()
    assert weights[1:].mean(0) == pytest.approx(np.ones(5), abs=0.25)
    assert (weights != _draw_weights(5, 200, 2)).any()


def test_nothing_of_the_queries_labels_reaches_a_prediction(source, target):
    """Other labels of the queries change their scores alone: what is predicted hangs on the shots' labels only."""
    rows, codes, speakers, model = target
    (shots,) = draw_shots(NAMES[codes], speakers, CLASSES, 5, draws=1, seed=3)
    ways = Ways.of(*source, rows, 3, probabilities=model, chosen=CHOSEN)
    found = ways.with_shots(shots, [5])[5]
    moved = rows.copy()
    far = np.flatnonzero(~np.isin(np.arange(len(rows)), shots))[0]
    moved[far] += 100.0  # nor does another query's embedding
    again = Ways.of(*source, moved, 3, probabilities=model, chosen=CHOSEN).with_shots(shots, [5])[5]
    for name in WAYS:
        assert (np.delete(found[name], far) == np.delete(again[name], far)).all()


def test_rows_of_other_classes_are_as_if_they_were_not_there(source, target, curves):
    rows, codes, speakers, model = target
    labels = np.append(["fear", "fear"], NAMES[codes]).astype(object)
    labels[0] = None
    more = Part(np.vstack([np.full((2, 4), 1e3), rows]), labels, {})
    whose = np.append(["s1", "a new one"], speakers)
    fear = Part(np.vstack([source[0], rows[:1]]), np.append(NAMES[source[1]], "fear"), {})
    settings = {"probabilities": np.vstack([model[:2], model]), "chosen": CHOSEN, "resamples": 60}
    found = few_shot(fear, more, whose, CLASSES, [1, 5], draws=4, seed=3, **settings)
    for one, other in zip([*found[0], *found[1]], [*curves[0], *curves[1]], strict=True):
        assert one == pytest.approx(other, nan_ok=True)


def test_shots_help_where_the_target_is_elsewhere():
    """Synthetic: classes that changed places in the target are learnt from shots, and never without."""
    rng = np.random.default_rng(0)
    codes, speakers = np.tile([0, 1], 60), np.repeat([f"s{n}" for n in range(6)], 20)
    rows = np.eye(2)[codes] * 6 + rng.normal(size=(120, 2))
    table, areas = few_shot(part(rows, codes), part(rows[:, ::-1], codes), speakers, CLASSES[:2], [5], draws=5)
    for way in ("swapped", "probe", "prototype"):
        row = pick(table, way=way, metric="UA", k=5)[0]
        assert row["without"] < 0.05
        assert row["value"] > 0.95
        assert row["gain_low"] > 0.9
    assert pick(areas, way="swapped", metric="UA")[0]["value"] == pytest.approx(0.5, abs=0.05)


def test_one_speaker_to_judge_has_a_value_and_no_interval():
    rng = np.random.default_rng(0)
    codes, speakers = np.tile([0, 1], 10), np.repeat(["x", "y"], 10)
    rows = np.eye(2)[codes] * 4 + rng.normal(size=(20, 2))
    table, areas = few_shot(part(rows, codes), part(rows, codes), speakers, CLASSES[:2], [2], draws=1)
    for row in [*table, *areas]:
        assert 0.5 < row["value"] <= 1
        assert np.isnan([row["low"], row["high"], row["sd_draws"]]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ks": []}, "`ks` must be distinct"),
        ({"ks": [1, 1]}, "`ks` must be distinct"),
        ({"ks": [0, 1]}, "at least 1"),
        ({"ks": [1, 60]}, "`k` must be below the clips"),
        ({"classes": ["anger"]}, "at least two"),
        ({"classes": ["anger", "fear"]}, "it has no 'fear'"),
        ({"speakers": ["x"]}, "`speakers` must be one an embedding"),
        ({"probabilities": np.full((120, 2), 0.5)}, "`probabilities` must be of shape"),
        ({"level": 95}, "`level` must be between"),
        ({"draws": 0}, "`draws` must be at least 1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(source, target, change, message):
    rows, codes, speakers, _ = target
    given = {"speakers": speakers, "classes": CLASSES, "ks": [1], "draws": 2, "resamples": 5} | change
    with pytest.raises(ValueError, match=message):
        few_shot(part(*source), part(rows, codes), **given)


# --- area


def test_the_area_is_that_of_numpys_trapezoids():
    ks, values = [0, 1, 2, 5, 10, 20], np.random.default_rng(0).random((6, 3, 4))
    axis = np.log2(np.array(ks) + 1)
    slow = sum((axis[n + 1] - axis[n]) * (values[n] + values[n + 1]) / 2 for n in range(5)) / axis[-1]
    assert area(ks, values) == pytest.approx(slow)
    assert area(ks, np.full(6, 0.3)) == pytest.approx(0.3)
    assert np.isnan(area([0, 1], [0.5, np.nan]))


@pytest.mark.parametrize(("ks", "values"), [([0], [0.5]), ([0, 2, 1], [0.1] * 3), ([0, 0], [0.1] * 2), ([0, 1], [0.1])])
def test_a_curve_without_an_axis_has_no_area(ks, values):
    with pytest.raises(ValueError, match="ascending order"):
        area(ks, values)
