"""Every step against a slow and obvious second way of saying it."""

import numpy as np
import pytest

from xlser.errors import CorpusError, RecipeError
from xlser.evaluation.adaptations import make_adaptation
from xlser.evaluation.adapting import Away, Home
from xlser.evaluation.concentration import concentration
from xlser.evaluation.linear import fit_linear
from xlser.evaluation.priors import label_shift, stated_prior
from xlser.evaluation.subspaces import gaussian_kernel, thinned, transfer_components

CLASSES = ("anger", "neutral", "sadness")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def world(rng, shift=0.0, speakers=6, clips=24, each=3, columns=8, voice=1.0):
    """Return a source of two corpora, and a target whose speakers have ``each`` of the classes: rows, labels, names."""
    centres = 3 * np.eye(3, columns)

    def corpus(name, many, own):
        rows, labels, who = [], [], []
        for speaker in range(many):
            has = rng.permutation(3)[:own]
            codes = has[np.arange(clips) % own]
            middle = voice * rng.normal(size=columns)
            rows.append(centres[codes] + middle + rng.normal(size=(clips, columns)))
            labels += [CLASSES[code] for code in codes]
            who += [f"{name}{speaker}"] * clips
        return np.concatenate(rows), np.array(labels), np.array(who)

    first, second = corpus("x", 4, 3), corpus("y", 4, 3)
    home = Home(
        np.concatenate([first[0], second[0] + 5]),
        np.concatenate([first[1], second[1]]),
        CLASSES,
        np.repeat(["x", "y"], [len(first[0]), len(second[0])]),
        np.concatenate([first[2], second[2]]),
    )
    rows, labels, who = corpus("t", speakers, each)
    return home, Away(rows + shift, who), labels


def test_statistics_of_speakers_map_source_and_target_alike(rng):
    home, away, _ = world(rng, shift=9)
    fitted = make_adaptation("speaker-statistics:shrink=4:sources=true:clip=2").fit(home, away)

    def slow(rows, names, groups):
        out = np.empty_like(rows)
        for place in range(len(rows)):
            whole = rows[groups == groups[place]]
            own = rows[(groups == groups[place]) & (names == names[place])]
            n = len(own)
            for column in range(rows.shape[1]):
                mean = (n * own[:, column].mean() + 4 * whole[:, column].mean()) / (n + 4)
                variance = (n * own[:, column].var() + 4 * whole[:, column].var()) / (n + 4)
                score = np.clip((rows[place, column] - mean) / variance**0.5, -2, 2)
                out[place, column] = score * home.embeddings[:, column].std() + home.embeddings[:, column].mean()
        return out

    target = slow(away.embeddings, away.speakers, np.zeros(len(away.speakers)))
    np.testing.assert_allclose(fitted.embeddings(away.embeddings, away.speakers), target)
    source = slow(home.embeddings, home.speakers, home.corpora)
    np.testing.assert_allclose(fitted.home(home.embeddings, home.corpora, home.speakers), source)


def test_the_stated_prior_is_the_mean_and_the_maximiser_of_what_defines_it(rng):
    from scipy.optimize import minimize

    given = rng.dirichlet([0.3, 1.0, 3.0], size=60)
    prior = np.array([0.5, 0.2, 0.3])
    factors = stated_prior(given, prior)
    after = given * factors / (given * factors).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(after.mean(axis=0), prior, atol=1e-8)
    # The factors are those at the least of a convex function whose gradient is the mean less the prior.
    least = minimize(lambda b: np.log(given @ np.exp(b)).mean() - prior @ b, np.zeros(3), method="BFGS", tol=1e-12).x
    np.testing.assert_allclose(np.log(factors), least - least.max(), atol=1e-4)


def test_a_prior_warns_of_classes_that_it_invents_and_leaves_out_those_of_no_share(rng):
    home, away, _ = world(rng)
    given = np.column_stack([np.full(len(away.embeddings), 0.8), rng.uniform(0, 0.1, len(away.embeddings))])
    given = np.column_stack([given, 1 - given.sum(axis=1)])
    fitted = make_adaptation("prior=uniform").fit(home, away)
    fitted.fit_posterior(away.embeddings, given)
    (warning,) = [note for note in fitted.notes if note.startswith("warning")]
    assert "neutral or sadness" in warning
    assert "only anger" in warning
    none = make_adaptation({"prior": {"anger": 0.7, "sadness": 0.3}}).fit(home, away)
    none.fit_posterior(away.embeddings, given)
    assert not none.posterior(away.embeddings, given)[:, 1].any()
    with pytest.raises(RecipeError, match="boredom"):
        make_adaptation({"prior": {"boredom": 1.0}}).fit(home, away)


def test_label_shift_finds_the_ratios_that_made_the_answers(rng):
    joint = rng.dirichlet([8, 1, 1], size=3).T / 3  # a column a class
    ratios = np.array([1.5, 0.9, 0.6])
    np.testing.assert_allclose(label_shift(joint, joint @ ratios, 0.0), ratios, atol=1e-9)
    heavy = label_shift(joint, joint @ ratios, 1e6)
    np.testing.assert_allclose(heavy, 1, atol=1e-3)


def test_bbse_comes_to_the_shares_of_a_target_with_few_of_a_class(rng):
    home, away, labels = world(rng, voice=0.3)
    kept = (labels != "sadness") | (np.arange(len(labels)) % 8 == 0)
    rows = away.embeddings[kept]
    fitted = make_adaptation("bbse:strength=0").fit(home, Away(rows))
    given = fit_linear(Home(home.embeddings[home.corpora == "x"], home.labels[home.corpora == "x"], CLASSES))
    fitted.fit_posterior(rows, given.probabilities(rows))
    shares = [(labels[kept] == name).mean() for name in CLASSES]
    np.testing.assert_allclose(fitted.shares, shares, atol=0.12)
    assert any("speakers held out" in note for note in fitted.notes)


def test_gaussians_move_as_loops_move_them(rng):
    home, away, _ = world(rng, shift=1)
    given = rng.dirichlet([1, 1, 1], size=len(away.embeddings))
    fitted = make_adaptation("gaussian-em:trust=0.4:shrink=5:iterations=3").fit(home, away)
    z, means, start, now = (away.embeddings - fitted.mean) @ fitted.axes, fitted.means, fitted.means.copy(), given
    for _ in range(3):
        means = np.array(
            [(sum(now[i, c] * z[i] for i in range(len(z))) + 5 * start[c]) / (now[:, c].sum() + 5) for c in range(3)]
        )
        for i in range(len(z)):
            density = np.array([np.exp(-0.5 * (z[i] - m) @ fitted.precision @ (z[i] - m)) for m in means])
            mixed = (given[i] + 1e-9) ** 0.6 * (density / density.sum() + 1e-9) ** 0.4
            now = now.copy()
            now[i] = mixed / mixed.sum()
    fitted.fit_posterior(away.embeddings, given)
    np.testing.assert_allclose(fitted.means, means)
    np.testing.assert_allclose(fitted.posterior(away.embeddings, given), now, atol=1e-9)


def test_neighbours_are_the_solution_of_their_equations(rng):
    home, away, _ = world(rng, clips=8)
    given = rng.dirichlet([1, 1, 1], size=len(away.embeddings))
    fitted = make_adaptation("neighbours:share=0.6:count=3:sharpness=2").fit(home, away)
    fitted.fit_posterior(away.embeddings, given)
    z = (away.embeddings - away.embeddings.mean(0)) / away.embeddings.std(0)
    weights = np.zeros((len(z), len(z)))
    for i in range(len(z)):
        cosines = {j: z[i] @ z[j] / np.linalg.norm(z[i]) / np.linalg.norm(z[j]) for j in range(len(z)) if j != i}
        for j in sorted(cosines, key=cosines.get)[-3:]:
            weights[i, j] = np.exp(2 * cosines[j])
    weights /= weights.sum(axis=1, keepdims=True)
    solved = np.linalg.solve(np.eye(len(z)) - 0.6 * weights, 0.4 * given)
    np.testing.assert_allclose(fitted.posterior(away.embeddings, given), solved, atol=1e-9)


def test_the_cascade_is_scores_powers_and_lengths(rng):
    home, away, _ = world(rng)
    fitted = make_adaptation("cascade:power=0.5").fit(home, away)
    out = fitted.embeddings(away.embeddings, away.speakers)
    for place in (0, 30, 100):
        own = away.embeddings[away.speakers == away.speakers[place]]
        score = (away.embeddings[place] - own.mean(0)) / own.std(0)
        power = np.sign(score) * np.abs(score) ** 0.5
        np.testing.assert_allclose(out[place], power / np.sqrt((power**2).sum()) * np.sqrt(len(score)))


def test_transfer_components_solve_the_problem_that_they_state(rng):
    rows = np.concatenate([rng.normal(size=(30, 4)), rng.normal(1, 1, size=(20, 4))])
    domains = np.repeat([1, -2], [30, 20])
    kernel = gaussian_kernel(rows, rows)
    squares = ((rows[:, None] - rows) ** 2).sum(-1)
    np.testing.assert_allclose(kernel, np.exp(-squares / 4))
    e = np.where(domains > 0, 1 / 30, -1 / 20)
    apart = np.outer(e, e) / np.linalg.norm(np.outer(e, e))
    centre = np.eye(50) - 1 / 50
    spread, together = kernel @ centre @ kernel, kernel @ apart @ kernel + 0.1 * np.eye(50)
    values, vectors = np.linalg.eig(np.linalg.solve(together, spread))
    first = np.argsort(-values.real)[:3]
    found = transfer_components(kernel, domains, 3, 0.1)
    for place, column in enumerate(first):
        mine, other = found[:, place], vectors[:, column].real
        assert abs(mine @ other) / np.linalg.norm(mine) / np.linalg.norm(other) == pytest.approx(1, abs=1e-6)
    space = kernel @ found
    # Nearer in the mean than without the term, on the scale of what varies.
    plain = kernel @ transfer_components(kernel, np.ones(50), 3, 0.1)

    def gap(x):
        return np.linalg.norm((x[:30].mean(0) - x[30:].mean(0)) / x.std(0))

    assert gap(space) < gap(plain)


def test_subspaces_are_turned_onto_one_another(rng):
    home, away, _ = world(rng, shift=2)
    fitted = make_adaptation("subspace-alignment:components=3").fit(home, away)
    mean, std = home.embeddings.mean(0), home.embeddings.std(0)
    zs, zt = (np.clip((x - mean) / std, -5, 5) for x in (home.embeddings, away.embeddings))
    first, second = (np.linalg.svd(z - z.mean(0), full_matrices=False)[2][:3] for z in (zs, zt))
    source = (zs - zs.mean(0)) @ first.T @ first @ second.T
    target = (zt - zt.mean(0)) @ second.T
    turned, mapped = fitted.home(home.embeddings), fitted.embeddings(away.embeddings)
    # Signs of the target's directions are free, and the same in both.
    signs = np.sign((mapped * target).sum(0))
    np.testing.assert_allclose(mapped, target * signs, atol=1e-8)
    np.testing.assert_allclose(turned, source * signs, atol=1e-8)


def test_transport_moves_the_source_onto_the_target(rng):
    home, away, _ = world(rng, shift=6)
    fitted = make_adaptation("optimal-transport").fit(home, away)
    moved = fitted.home(home.embeddings)
    before = np.linalg.norm(home.embeddings.mean(0) - away.embeddings.mean(0))
    assert np.linalg.norm(moved.mean(0) - away.embeddings.mean(0)) < 0.2 * before
    rows = away.embeddings
    np.testing.assert_array_equal(fitted.embeddings(rows), rows)
    # A row near an anchor goes as the anchor goes.
    near = fitted.home(home.embeddings[:1] + 1e-6)
    np.testing.assert_allclose(near, moved[:1] + 1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["density-ratio:strength=1", "kliep"])
def test_source_rows_that_look_like_the_target_count_more(rng, name):
    rows = rng.normal(size=(200, 2))
    home = Home(rows, np.array(["anger", "neutral"] * 100), CLASSES[:2])
    fitted = make_adaptation(name).fit(home, Away(rng.normal(1, 0.5, size=(80, 2))))
    near = np.linalg.norm(rows - 1, axis=1)
    assert fitted.weights[near < 1].mean() > 1.5 * fitted.weights[near > 2].mean()
    assert np.corrcoef(fitted.weights, near)[0, 1] < -0.4


def test_thinning_keeps_every_class_and_says_so(rng):
    labels = np.array(["anger"] * 900 + ["sadness"] * 90)
    home = Home(rng.normal(size=(990, 2)), labels, CLASSES)
    (kept, other), note = thinned(home, Away(rng.normal(size=(40, 2))), most=100)
    assert len(kept) == 100
    assert 8 <= (labels[kept] == "sadness").sum() <= 10
    assert len(other) == 40
    assert "100 of 990" in note[0]


def test_concentration_is_what_permutations_say(rng):
    speakers, answers = rng.integers(0, 5, 60), rng.integers(0, 3, 60)
    answers[speakers == 0] = 2

    def information(s, a):
        total = 0.0
        for i in range(5):
            for j in range(3):
                both = np.mean((s == i) & (a == j))
                total += both * np.log(both / np.mean(s == i) / np.mean(a == j)) if both else 0.0
        return total

    chance = np.mean([information(rng.permutation(speakers), answers) for _ in range(800)])
    shares = np.bincount(answers) / 60
    expected = (information(speakers, answers) - chance) / -(shares * np.log(shares)).sum()
    assert concentration(speakers, answers) == pytest.approx(expected, abs=0.01)
    assert concentration(np.arange(60), answers) == pytest.approx(0, abs=1e-9)
    assert concentration([1, 1], ["a", "b"]) == concentration([], []) == concentration([1, 2], ["a", "a"]) == 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("each", "chosen"), [(3, "speaker"), (1, "corpus")])
def test_the_rule_takes_speaker_statistics_where_speakers_say_all(seed, each, chosen):
    home, away, _ = world(np.random.default_rng(seed), shift=4, speakers=10, each=each)
    fitted = make_adaptation("speaker-or-corpus").fit(home, away)
    assert fitted.notes[0].startswith(chosen)
    expected = make_adaptation("speaker-statistics" if chosen == "speaker" else "corpus").fit(home, away)
    rows = away.embeddings, away.speakers
    np.testing.assert_array_equal(fitted.embeddings(*rows), expected.embeddings(*rows))


@pytest.mark.parametrize(("speakers", "says"), [(None, "no speakers"), ("one", "1 speaker"), ("each", "1.0 clips")])
def test_the_rule_takes_the_corpus_where_speakers_say_nothing(rng, speakers, says):
    home, away, _ = world(rng)
    names = {"one": np.full(len(away.embeddings), "x"), "each": np.arange(len(away.embeddings))}.get(speakers)
    (note,) = make_adaptation("speaker-or-corpus").fit(home, Away(away.embeddings, names)).notes
    assert note.startswith("corpus")
    assert says in note


def test_residuals_leave_a_speaker_his_one_emotion_and_take_out_voices(rng):
    home, away, labels = world(rng, speakers=9, each=1, voice=0.7)
    alike = make_adaptation("corpus:sources=true").fit(home, away)
    readout = fit_linear(Home(alike.home(home.embeddings, home.corpora), home.labels, CLASSES, home.corpora))
    right = {}
    for name in ("speaker-statistics:shrink=0", "speaker-residuals:shrink=5"):
        mapped = make_adaptation(name).fit(home, away).embeddings(away.embeddings, away.speakers)
        right[name] = np.mean(np.array(CLASSES)[readout.probabilities(mapped).argmax(axis=1)] == labels)
    plain, aware = right.values()
    assert aware > plain + 0.2


def test_voices_are_found_in_the_directions_in_which_the_sources_speakers_differ(rng):
    from sklearn.metrics import adjusted_rand_score

    home, away, _ = world(rng, speakers=3, voice=4.0)
    chain = make_adaptation("pseudo-speakers|speaker-statistics")
    fitted = chain.fit(home, Away(away.embeddings))
    voices = fitted.speakers(away.embeddings)
    assert adjusted_rand_score(away.speakers, voices) > 0.9
    assert "3 voices" in fitted.notes[0]
    known = make_adaptation("speaker-statistics").fit(home, away)
    np.testing.assert_allclose(
        fitted.embeddings(away.embeddings), known.embeddings(away.embeddings, away.speakers), atol=0.2
    )
    named = chain.fit(home, away)
    np.testing.assert_array_equal(
        named.embeddings(away.embeddings, away.speakers), known.embeddings(away.embeddings, away.speakers)
    )


@pytest.mark.parametrize("name", ["speaker-or-corpus", "speaker-residuals", "bbse", "gaussian-em", "tca:classes=true"])
def test_steps_that_ask_the_source_need_its_labels(rng, name):
    home, away, _ = world(rng)
    for labels in (None, np.full(len(home.embeddings), "anger")):
        with pytest.raises(CorpusError, match="two emotions"):
            make_adaptation(name).fit(Home(home.embeddings, labels, CLASSES), away)
