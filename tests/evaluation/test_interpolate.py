"""Interpolation with the neighbours against loops over neighbours, classes and every candidate."""

import inspect
import math
from itertools import product

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss

from xlser.errors import XlserError
from xlser.evaluation.interpolate import Interpolation, fit_interpolation, knn_distribution
from xlser.store.datastore import Datastore

CLASSES = ("neutral", "anger", "joy")  # not in the order of the alphabet
GRID = {"ks": (1, 3, 8), "temperatures": (0.05, 1.0), "weights": (0.0, 0.3, 1.0)}


def blobs(rows, seed, classes=CLASSES):
    """Synthetic rows about a centre a class, their labels, and a model's unsure probabilities."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(len(classes), size=rows)
    embeddings = np.array([(0, 1, 1), (2, 1, 0), (1, 2, 1)])[codes] + rng.normal(size=(rows, 3))
    logits = rng.normal(size=(rows, len(classes))) + np.eye(len(classes))[codes]
    return embeddings, np.array(classes)[codes], np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def stores(embeddings, labels, metrics=("l2", "cosine"), **more):
    return {
        metric: Datastore(embeddings, range(len(labels)), metric=metric, labels=labels, **more) for metric in metrics
    }


@pytest.fixture(scope="module")
def train():
    embeddings, labels, _ = blobs(90, 0)
    return stores(embeddings, labels)


def slow_distribution(distances, labels, classes, temperature):
    sums = dict.fromkeys(classes, 0.0)
    for distance, label in zip(distances, labels, strict=True):
        if label in sums:
            sums[label] += math.exp(-(distance - min(distances)) / temperature)
    return [sums[name] / sum(sums.values()) for name in classes]


def slow_distances(store, query):
    """Return the distances to all rows in float64, nearest first, and their order."""
    rows, query = store.embeddings.astype(float), np.float32(query).astype(float)
    if store.metric == "l2":
        every = ((rows - query) ** 2).sum(1)
    else:
        every = 1 - rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    order = np.argsort(every, kind="stable")
    return every[order], order


def slow_mix(store, queries, model, classes, k, temperature, weight):
    out = []
    for query, row in zip(queries, model, strict=True):
        distances, order = slow_distances(store, query)
        labels = [store.labels[position] for position in order[:k]]
        found = slow_distribution(distances[:k], labels, classes, temperature)
        out.append([(1 - weight) * p + weight * q for p, q in zip(row, found, strict=True)])
    return np.array(out)


def slow_choice(stores, validation, model, truth, classes, grid):
    """Return the best choice, one candidate at a time, scored by sklearn."""
    most = max(k for k in grid["ks"] if k <= len(stores["l2"]))
    best, chosen = None, None
    for metric, k, temperature, weight in product(stores, grid["ks"], grid["temperatures"], grid["weights"]):
        if k > most:
            continue
        scale = np.median([slow_distances(stores[metric], query)[0][:most] for query in validation])
        mixed = slow_mix(stores[metric], validation, model, classes, k, temperature * scale, weight)
        right = mixed[np.arange(len(truth)), [classes.index(label) for label in truth]]
        accuracy = balanced_accuracy_score(truth, np.array(classes)[mixed.argmax(1)])
        key = (round(accuracy, 9), round(float(np.log(right.clip(1e-12)).mean()), 5), -weight)
        if best is None or key > best:
            best, chosen = key, {"distance": metric, "k": k, "temperature": temperature, "weight": weight}
    return chosen


@pytest.mark.parametrize("temperature", [0.01, 1.0, 300.0])
@pytest.mark.parametrize("k", [1, 2, 7])
def test_the_distribution_is_that_of_a_loop(k, temperature):
    rng = np.random.default_rng(k)
    distances, codes = np.sort(rng.gamma(2, 2, size=(20, k)), axis=1), rng.integers(4, size=(20, k))
    found = knn_distribution(distances, codes, 4, temperature)
    slow = [slow_distribution(d, c, range(4), temperature) for d, c in zip(distances, codes, strict=True)]
    assert found == pytest.approx(np.array(slow), abs=1e-12)
    assert found.sum(1) == pytest.approx(np.ones(20), abs=1e-12)


def test_equal_distances_share_by_count_and_a_cold_vote_goes_to_the_nearest():
    for distance in (0.0, 7.0, 1e38):
        assert knn_distribution([[distance] * 4], [[0, 2, 2, 2]], 3, 0.1).tolist() == [[0.25, 0.0, 0.75]]
    assert knn_distribution([[1.0, 1.5, 1.5]], [[0, 1, 1]], 2, 1e-300).tolist() == [[1.0, 0.0]]
    assert knn_distribution([[1.0, 2.0, 3.0]], [[0, 1, 1]], 2, 1e300) == pytest.approx(np.array([[1 / 3, 2 / 3]]))


@pytest.mark.filterwarnings("error")
def test_huge_distances_neither_overflow_nor_vanish():
    huge = [[1e38, 1e38 + 1e30, 3e38], [1e308, 1e308, 1.7e308]]
    found = knn_distribution(huge, [[0, 1, 1], [1, 1, 0]], 2, 1e-300)
    assert found.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_row_whose_neighbours_have_no_vote_is_nan_and_others_pass_over_them():
    # The nearest has no vote; were it subtracted, the next would vanish at this temperature.
    found = knn_distribution([[0.0, 1e6], [0.0, 1.0]], [[-1, 1], [-1, -1]], 2, 1.0)
    assert found[0].tolist() == [0.0, 1.0]
    assert np.isnan(found[1]).all()
    assert knn_distribution(np.empty((0, 3)), np.empty((0, 3), int), 2, 1.0).shape == (0, 2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_chosen_is_what_a_loop_over_every_candidate_chooses(train, seed):
    validation, truth, model = blobs(40, seed)
    fitted = fit_interpolation(train, validation, model, truth, CLASSES, **GRID)
    slow = slow_choice(train, validation, model, truth, CLASSES, GRID)
    assert {name: fitted.chosen[name] for name in slow} == slow
    assert fitted.store is train[slow["distance"]]


@pytest.mark.parametrize("metric", ["l2", "cosine"])
@pytest.mark.parametrize(("k", "weight"), [(1, 0.3), (5, 0.3), (90, 0.8)])
def test_what_is_predicted_is_what_a_loop_predicts(train, metric, k, weight):
    queries, _, model = blobs(25, 9)
    fitted = fit_interpolation(
        {metric: train[metric]}, *inputs(4), CLASSES, ks=[k], temperatures=[0.2], weights=[weight]
    )
    temperature = 0.2 * fitted.chosen["scale"]
    slow = slow_mix(train[metric], queries, model, CLASSES, k, temperature, weight)
    assert fitted.predict(queries, model) == pytest.approx(slow, abs=1e-5)


def inputs(seed):
    validation, truth, model = blobs(30, seed)
    return validation, model, truth


def test_weight_nought_is_the_model_and_weight_one_the_neighbours_to_the_last_bit(train):
    queries, _, model = blobs(25, 9)
    alone, neighbours = (fit_interpolation(train, *inputs(4), CLASSES, weights=[weight]) for weight in (0, 1))
    assert (alone.predict(queries, model) == model).all()
    assert (neighbours.predict(queries, model) == neighbours.distribution(queries)).all()


def test_a_sure_and_right_model_is_left_alone_and_a_wrong_one_overruled(train):
    validation, truth, _ = blobs(60, 5)
    sure = np.eye(3)[[CLASSES.index(label) for label in truth]]
    assert fit_interpolation(train, validation, sure, truth, CLASSES).chosen["weight"] == 0
    far = np.array([[40.0, 0, 0], [0, 40, 0], [0, 0, 40]])
    apart = stores(np.repeat(far, 5, axis=0), np.repeat(CLASSES, 5))
    assert fit_interpolation(apart, far, np.roll(np.eye(3), 1, 0), CLASSES, CLASSES).chosen["weight"] > 0.5


def test_of_equals_the_surer_then_the_lesser_weight_then_the_first_is_taken():
    rows = stores([[0.0, 1.0], [0.0, 1.1], [5.0, 0.0], [5.1, 0.0]], ["a", "a", "b", "b"])
    queries, truth, model = [[0.0, 1.0], [5.0, 0.0]], ["a", "b"], [[0.6, 0.4], [0.4, 0.6]]
    surer = fit_interpolation(
        rows, queries, model, truth, ["a", "b"], ks=[2], temperatures=[1], weights=[0.2, 0.9, 0.5]
    )
    assert surer.chosen["weight"] == 0.9, "every weight is right, and this one is the surest"
    exact = np.eye(2)
    lesser = fit_interpolation(
        rows, queries, exact, truth, ["a", "b"], ks=[2, 1], temperatures=[3, 1], weights=[1, 0.5]
    )
    assert lesser.chosen == {"distance": "l2", "k": 2, "temperature": 3, "weight": 0.5, "scale": lesser.chosen["scale"]}
    turned = fit_interpolation(dict(reversed(rows.items())), queries, exact, truth, ["a", "b"], ks=[1, 2])
    assert (turned.chosen["distance"], turned.chosen["k"]) == ("cosine", 1)


def test_the_cross_entropy_of_the_choice_is_the_least_of_those_as_accurate():
    """With accuracy out of the way (a single truth, always right) the choice is by sklearn's log loss alone."""
    validation, _, _ = blobs(20, 6)
    model = np.tile([0.5, 0.3, 0.2], (20, 1))
    embeddings, labels, _ = blobs(60, 7)
    labels[:40] = "neutral"
    rows, truth = stores(embeddings, labels, ["l2"]), ["neutral"] * 20
    fitted = fit_interpolation(
        rows, validation, model, truth, CLASSES, ks=[40, 60], temperatures=[9.0], weights=[0.1, 0.4]
    )
    scores = {
        (k, weight): log_loss(
            [0] * 20,
            slow_mix(rows["l2"], validation, model, CLASSES, k, 9 * fitted.chosen["scale"], weight),
            labels=range(3),
        )
        for k, weight in product([40, 60], [0.1, 0.4])
    }
    assert (fitted.chosen["k"], fitted.chosen["weight"]) == min(scores, key=scores.get)


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_the_unit_of_the_embeddings_changes_neither_choice_nor_prediction(factor):
    embeddings, labels, _ = blobs(64, 0)
    queries, _, model = blobs(25, 9)
    validation, *rest = inputs(4)
    plain = fit_interpolation(stores(embeddings, labels, ["l2"]), validation, *rest, CLASSES)
    scaled = fit_interpolation(stores(embeddings * factor, labels, ["l2"]), validation * factor, *rest, CLASSES)
    assert {**scaled.chosen, "scale": 0} == {**plain.chosen, "scale": 0}
    assert scaled.predict(queries * factor, model) == pytest.approx(plain.predict(queries, model), abs=1e-4)


def test_validation_rows_that_are_stored_rows_all_alike_still_give_a_distribution():
    alike = {"l2": Datastore(np.ones((6, 2)), range(6), labels=["a"] * 4 + ["b"] * 2)}
    fitted = fit_interpolation(alike, np.ones((3, 2)), np.full((3, 2), 0.5), ["a", "a", "b"], ["a", "b"], ks=[6])
    assert fitted.chosen["scale"] == 1.0
    assert fitted.distribution(np.ones((1, 2))) == pytest.approx(np.array([[2 / 3, 1 / 3]]))


def test_a_class_missing_in_the_validation_data_or_in_the_store_is_no_error(train):
    validation, model, truth = inputs(4)
    keep = truth != "joy"
    fitted = fit_interpolation(train, validation[keep], model[keep], truth[keep], CLASSES)
    assert fitted.predict(validation, model).sum(1) == pytest.approx(np.ones(30))
    fewer = stores(*[column[:60] for column in blobs(60, 3, ("neutral", "anger", "neutral"))[:2]])
    fitted = fit_interpolation(fewer, validation, model, truth, CLASSES, weights=[1.0])
    assert (fitted.distribution(validation)[:, 2] == 0).all()


def test_k_above_the_smallest_store_is_skipped_or_when_all_are_an_error(train):
    assert fit_interpolation(train, *inputs(4), CLASSES, ks=(5, 91)).chosen["k"] == 5
    with pytest.raises(ValueError, match=r"`k` must be at most the number of stored embeddings \(90\), but is 91"):
        fit_interpolation(train, *inputs(4), CLASSES, ks=(100, 91))


def test_no_argument_of_the_choice_is_of_the_target(train):
    names = list(inspect.signature(fit_interpolation).parameters)
    data, candidates = names[:5], names[5:]
    assert data == ["stores", "validation", "probabilities", "validation_labels", "classes"]
    assert candidates == ["ks", "temperatures", "weights"]
    fitted = fit_interpolation(train, *inputs(4), CLASSES)
    chosen = dict(fitted.chosen)
    fitted.predict(*blobs(25, 9)[::2])
    fitted.restrict(["joy"]).with_store(train[chosen["distance"]])
    assert fitted.chosen == chosen


def test_leaving_out_the_own_row_and_speaker_reaches_the_store():
    rows = Datastore([[0.0], [0.1], [5.0], [6.0]], "abcd", labels=list("xxyy"), groups=["anna", "anna", "ben", "ben"])
    chosen = {"k": 1, "distance": "l2", "temperature": 1.0, "scale": 1.0, "weight": 1.0}
    mix = Interpolation(rows, np.array([0, 0, 1, 1]), ("x", "y"), chosen, ("x", "y"))
    model = [[0.5, 0.5]]
    assert mix.neighbours([[0.0]])[1].tolist() == [[0]]
    assert mix.neighbours([[0.0]], ["a"])[1].tolist() == [[1]]
    assert mix.predict([[0.0]], model).tolist() == [[1.0, 0.0]]
    assert mix.predict([[0.0]], model, exclude_groups=["anna"]).tolist() == [[0.0, 1.0]]
    with pytest.raises(XlserError, match="datastore of another encoder"):
        mix.predict([[0.0]], model, encoder="eGeMAPS")


@pytest.mark.parametrize("kept", [("joy", "neutral"), ("anger",), ("joy", "anger", "neutral")])
def test_a_restricted_interpolation_is_that_of_a_loop_over_fewer_classes(train, kept):
    queries, _, model = blobs(25, 9)
    full = fit_interpolation(train, *inputs(4), CLASSES, ks=[8], temperatures=[0.2], weights=[0.4])
    narrow = full.restrict(kept)
    assert (narrow.classes, narrow.chosen, narrow.store) == (kept, full.chosen, full.store)
    shares = [[row[CLASSES.index(name)] for name in kept] for row in model]
    shares = [[p / sum(row) for p in row] for row in shares]
    # With k = 8 some query may have no neighbour of the kept classes: the loop divides by nought there.
    distances, positions = full.neighbours(queries)
    expected = []
    for row, d, p in zip(shares, distances.astype(float), positions, strict=True):
        labels = [full.store.labels[i] for i in p]
        votes = [(x, label) for x, label in zip(d, labels, strict=True) if label in kept]
        found = slow_distribution(*zip(*votes, strict=True), kept, 0.2 * full.chosen["scale"]) if votes else row
        expected.append([0.6 * a + 0.4 * b for a, b in zip(row, found, strict=True)])
    assert narrow.predict(queries, model) == pytest.approx(np.array(expected), abs=1e-9)


def test_without_a_neighbour_of_the_classes_the_model_stands_alone():
    rows = Datastore([[0.0], [9.0]], "ab", labels=["x", "y"])
    chosen = {"k": 1, "distance": "l2", "temperature": 1.0, "scale": 1.0, "weight": 1.0}
    mix = Interpolation(rows, np.array([0, 1]), ("x", "y", "z"), chosen, ("x", "y", "z")).restrict(["y", "z"])
    model = [[0.5, 0.125, 0.375], [1.0, 0.0, 0.0], [0.5, 0.125, 0.375]]
    assert np.isnan(mix.distribution([[0.1]])).all()
    assert mix.predict([[0.1], [0.1], [8.0]], model).tolist() == [[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]]


def test_a_restriction_may_be_widened_again_and_all_classes_are_no_restriction(train):
    queries, _, model = blobs(25, 9)
    full = fit_interpolation(train, *inputs(4), CLASSES)
    again = full.restrict(["joy"]).restrict(CLASSES)
    assert (again.predict(queries, model) == full.predict(queries, model)).all()


def test_target_clips_are_added_without_training(train):
    embeddings, labels, model = blobs(20, 11)
    full = fit_interpolation(train, *inputs(4), CLASSES, ks=[1], weights=[1.0])
    target = Datastore(embeddings + 30, [f"ur/{n}" for n in range(20)], metric=full.chosen["distance"], labels=labels)
    wider = full.with_store(full.store.extend(target))
    truth = [CLASSES.index(label) for label in labels]
    assert (wider.predict(embeddings + 30, model).argmax(1) == truth).all()
    assert not (full.predict(embeddings + 30, model).argmax(1) == truth).all()
    narrow = full.restrict(["joy", "anger"]).with_store(target)
    assert narrow.codes.tolist() == [{"joy": 0, "anger": 1}.get(label, -1) for label in labels]


def test_two_classes_and_no_queries(train):
    embeddings, labels, model = blobs(40, 2, ("b", "a"))
    fitted = fit_interpolation(stores(embeddings, labels), embeddings, model, labels, ("b", "a"), ks=[1, 2])
    assert fitted.predict(np.empty((0, 3)), np.empty((0, 2))).shape == (0, 2)
    assert fit_interpolation(train, *inputs(4), CLASSES).restrict(["joy"]).predict([[1, 1, 1]], [[0.5, 0.5, 0]]) == 1


def test_bad_arguments_are_named(train):
    validation, model, truth = inputs(4)
    fitted = fit_interpolation(train, validation, model, truth, CLASSES)
    other = Datastore([[1.0, 2.0, 3.0]], "z", metric=fitted.chosen["distance"], labels=["disgust"])
    unlabelled = {"l2": Datastore([[1.0, 2.0, 3.0]], "z")}
    odd = train["l2" if fitted.chosen["distance"] == "cosine" else "cosine"]

    def fit(rows=train, validation=validation, model=model, truth=truth, classes=CLASSES, **grid):
        return fit_interpolation(rows, validation, model, truth, classes, **grid)

    for call, message in [
        (lambda: fit({}), "`stores` must hold at least one candidate"),
        (lambda: fit(weights=[]), "`weights` must hold at least one candidate"),
        (lambda: fit(weights=[0.5, 1.5]), r"`weights` must lie in \[0, 1\], but are \[0.5, 1.5\]"),
        (lambda: fit(ks=[0, 3]), "`ks` must be at least 1, but hold 0"),
        (lambda: fit(temperatures=[0]), "`temperature` must be above 0 and finite, but is 0"),
        (lambda: fit(temperatures=[math.nan]), "`temperature` must be above 0 and finite, but is nan"),
        (lambda: fit({"l2": train["cosine"]}), "'l2' maps to 'cosine'"),
        (lambda: fit(unlabelled), "the store must have labels, but has none"),
        (lambda: fit({fitted.chosen["distance"]: other}), "`the store's labels` must be among the classes"),
        (lambda: fit(truth=np.full(30, "fear")), "`validation_labels` must be among the classes"),
        (lambda: fit(classes=("joy", "joy", "anger")), "`classes` must be distinct"),
        (lambda: fit(model=model[:, :2]), r"`probabilities` must be of shape \(30, 3\), a column a class"),
        (lambda: fit(model=np.log(model)), "sum to 1 in each row, but row 0 is .* Take the softmax"),
        (lambda: fit(model=np.where(np.arange(90).reshape(30, 3) == 7, np.nan, model)), "but row 2 is"),
        (lambda: fit(validation=validation[:9]), r"`validation` must have a row a label \(30\), but has 9"),
        (lambda: fit(train, validation[:0], model[:0], truth[:0]), "`validation` must have at least one row"),
        (lambda: fitted.predict(validation, model[:5]), r"`probabilities` must be of shape \(30, 3\)"),
        (lambda: fitted.restrict([]), "`classes` must hold at least one class"),
        (lambda: fitted.restrict(["joy", "joy"]), "`classes` must be distinct"),
        (lambda: fitted.restrict(["fear"]), "must be among the classes"),
        (lambda: fitted.with_store(other), "must be among the classes"),
        (lambda: fitted.with_store(odd), "`store` must have the metric and dimensions"),
        (lambda: knn_distribution([[1.0]], [[0, 1]], 2, 1.0), "must be of one shape"),
        (lambda: knn_distribution([[np.inf]], [[0]], 2, 1.0), "`distances` must be finite"),
        (lambda: knn_distribution([[1.0]], [[2]], 2, 1.0), "`codes` must be -1 to 1, but are 2 to 2"),
        (lambda: knn_distribution([[1.0]], [[0]], 2, -1.0), "`temperature` must be above 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
