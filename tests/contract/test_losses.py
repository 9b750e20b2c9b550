"""What every loss promises, whichever it is: a new one is added to the table below, and a test sees that it was."""

import inspect
from functools import partial

import pytest
import torch

from xlser import losses

DIMENSION = {
    "continuous_metric signed": losses.continuous_metric,
    "continuous_metric euclidean": partial(losses.continuous_metric, form="euclidean"),
    "elr": losses.elr,
    "ccc_pairs signed": losses.ccc_pairs,
    "ccc_pairs euclidean": partial(losses.ccc_pairs, form="euclidean"),
    "rank_n_contrast": losses.rank_n_contrast,
    "kernel_contrastive": partial(losses.kernel_contrastive, sigma=0.5),
}
CLASS = {
    "class_cluster": losses.class_cluster,
    "supcon": losses.supcon,
    "supcon groups": lambda z, labels: losses.supcon(z, labels, groups=labels // 2, cross_weight=0.5),
    "contrastive all": partial(losses.contrastive, policy="all"),
    "contrastive hard": partial(losses.contrastive, policy="hard", margin=2.0),
    "contrastive semi-hard": partial(losses.contrastive, policy="semi-hard"),
    "contrastive not normalised": partial(losses.contrastive, policy="all", normalise=False),
}
LATENT = {"kl_standard_normal": losses.kl_standard_normal}
LOGITS = {
    "cross_entropy": losses.cross_entropy,
    "cross_entropy weights": partial(losses.cross_entropy, weights=torch.tensor([2.0, 1, 1, 0.5]), smoothing=0.1),
    "focal": losses.focal,
    "soft_cross_entropy": lambda z, labels: losses.soft_cross_entropy(z, 0.6 * torch.eye(4)[labels] + 0.1),
}
PREDICTION = {"dimension_ccc": losses.dimension_ccc}
# Compare rows, so one row and one label only tell them nothing; of the classifier's logits one row tells enough.
COMPARING = DIMENSION | CLASS | PREDICTION
LABELLED = COMPARING | LOGITS
ALL = LABELLED | LATENT
OFFERING = {"kl_weight", "class_weights", "draw_mix"}


def batch(name, dtype=torch.float64):
    rng = torch.Generator().manual_seed(3)
    z = torch.randn(12, 4, generator=rng, dtype=torch.float64).to(dtype)
    if name in CLASS | LOGITS:
        return z, torch.arange(12) % 4
    if name in LATENT:
        return z, torch.randn(12, 4, generator=rng, dtype=torch.float64).to(dtype)
    if name in PREDICTION:
        z = z[:, 0].clone()
    return z, torch.randn(12, generator=rng, dtype=torch.float64).to(dtype)


def test_the_table_holds_every_loss():
    functions = {name for name in losses.__all__ if inspect.isfunction(getattr(losses, name))}
    assert functions - OFFERING == {name.split()[0] for name in ALL}


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_the_batch_does_not_matter(name):
    z, target = batch(name)
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(4))
    # Only the signed metric carries an offset with a sign; everything else is invariant to rounding.
    tolerance = 1e-4 if name == "continuous_metric signed" else 1e-9
    assert ALL[name](z[order], target[order]).item() == pytest.approx(ALL[name](z, target).item(), rel=tolerance)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_value_and_its_gradient_are_finite_and_the_gradient_reaches_every_row(name, dtype):
    z, target = batch(name, dtype)
    loss = ALL[name](z.requires_grad_(), target)
    loss.backward()
    assert loss.shape == ()
    assert loss.dtype == dtype
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()
    assert (z.grad.reshape(len(z), -1).abs().sum(1) > 0).all()


@pytest.mark.parametrize("name", ALL)
def test_float32_agrees_with_float64(name):
    single, double = ALL[name](*batch(name, torch.float32)), ALL[name](*batch(name))
    assert single.item() == pytest.approx(double.item(), rel=1e-4)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened_before_anything_is_squared(name, dtype):
    z, target = batch(name, dtype)
    assert ALL[name](z, target).dtype == torch.float32
    wide = target if name in CLASS | LOGITS else target.float()
    assert ALL[name](z, target).item() == pytest.approx(ALL[name](z.float(), wide).item())


@pytest.mark.parametrize("name", LABELLED)
def test_equal_rows_give_a_finite_gradient(name):
    z, target = batch(name)
    z[4], target[4] = z[0], target[0]
    LABELLED[name](z.requires_grad_(), target).backward()
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_an_embedding_that_is_not_finite_is_refused(name, bad):
    z, target = batch(name)
    z[2] = bad
    with pytest.raises(ValueError, match=f"must be finite, but row 2 holds {bad}"):
        ALL[name](z, target)


@pytest.mark.parametrize("name", DIMENSION | PREDICTION | LATENT)
def test_a_target_that_is_not_finite_is_refused(name):
    z, target = batch(name)
    target[5] = float("nan")
    with pytest.raises(ValueError, match="must be finite, but row 5 holds nan"):
        ALL[name](z, target)


@pytest.mark.parametrize("name", COMPARING)
def test_one_row_is_refused(name):
    z, target = batch(name)
    with pytest.raises(ValueError, match=r"must have at least \d rows, but has 1"):
        COMPARING[name](z[:1], target[:1])


@pytest.mark.parametrize("name", ALL)
def test_no_rows_are_refused(name):
    z, target = batch(name)
    with pytest.raises(ValueError, match=r"must have at least \d rows, but has 0"):
        ALL[name](z[:0], target[:0])


@pytest.mark.parametrize("name", COMPARING)
def test_one_label_only_is_refused(name):
    z, target = batch(name)
    with pytest.raises(ValueError, match=r"must hold at least two .*, but holds only"):
        COMPARING[name](z, target[:1].expand(len(z)))


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("shape", [(12, 1), (6, 2)])
def test_labels_of_another_shape_are_refused(name, shape):
    z, target = batch(name)
    with pytest.raises(ValueError, match=r"shape.*\(12,"):
        LABELLED[name](z, target.reshape(shape))


@pytest.mark.parametrize("name", ALL)
def test_embeddings_that_are_not_a_float_matrix_are_refused(name):
    z, target = batch(name)
    with pytest.raises(ValueError, match="must be floating point, but is torch"):
        ALL[name](z.long(), target)
    with pytest.raises(ValueError, match=r"must have shape \(N"):
        ALL[name](z[..., None] if name in PREDICTION else z[:, 0], target)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_autocast_changes_nothing(name, dtype):
    z, target = batch(name, dtype)
    plain, cast = z.clone().requires_grad_(), z.clone().requires_grad_()
    value = ALL[name](plain, target)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast_value = ALL[name](cast, target)
    value.backward()
    cast_value.backward()
    assert cast_value.dtype == torch.float32
    torch.testing.assert_close((cast_value, cast.grad), (value, plain.grad), rtol=1e-6, atol=1e-6)
