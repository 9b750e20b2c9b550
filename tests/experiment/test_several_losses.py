"""A method of several losses, with heads and projections of its own: trained, read back, and used."""

import json
import math

import pytest
import torch

import xlser
from xlser.experiment.run import run_recipe
from xlser.losses import ContinuousMetric, CrossEntropy, Regression, SupCon
from xlser.training.objective import Objective
from xlser.training.recipe import Recipe

SEVERAL = Objective(
    losses=[
        SupCon(projection=8, across="speaker", cross_weight=2),
        ContinuousMetric(on=["activation", "valence"], weight=0.5),
        CrossEntropy(balance=True),
        Regression(of=["valence"]),
    ]
)


@pytest.fixture
def several(recipe):
    return Recipe.model_validate(recipe.model_dump() | {"methods": {"several": SEVERAL}})


@pytest.mark.slow
def test_it_is_trained_read_back_and_predicts_and_each_loss_has_its_curve(several, place, tmp_path, small_data):
    out = run_recipe(several, tmp_path / "run", place)
    first = json.loads((out / "results.json").read_text())
    said = xlser.load(out, method="several").predict(next(small_data.rglob("*.wav")))
    assert said.emotion in several.emotions
    (out / "results.json").unlink()
    path = out / "models" / "several" / "seed-0" / "model.safetensors"
    stamp = path.stat().st_mtime_ns
    again = json.loads((run_recipe(several, tmp_path / "run", place) / "results.json").read_text())
    assert path.stat().st_mtime_ns == stamp, "it was trained anew"
    assert again["transfer"] == first["transfer"]
    curve = next(curve["curve"] for curve in first["curves"] if curve["method"] == "several")
    names = {f"valid/{name}" for name in ("mse", "supcon", "signed", "cross_entropy", "dimensions", "loss")}
    assert names | {"train/loss", "epoch"} == set(curve[0])
    last = curve[-1]
    of_latent = last["valid/mse"] + last["valid/supcon"] + 0.5 * last["valid/signed"]
    heads = last["valid/cross_entropy"] + last["valid/dimensions"]
    assert last["valid/loss"] == pytest.approx(math.log(of_latent) + heads, rel=1e-5)


def test_classes_are_balanced_by_the_training_rows(tmp_path):
    from xlser.training.autoencoder_brain import AutoencoderBrain, Plan, fit
    from xlser.training.step import Batch

    seen = []
    emotion = torch.tensor([0] * 12 + [1] * 6 + [2] * 2 + [-1] * 4)
    rng = torch.Generator().manual_seed(0)
    rows = Batch(torch.randn(24, 6, generator=rng), torch.full((24, 3), torch.nan), emotion, torch.zeros(24, 3).long())
    recipe = Recipe(name="r", source="a", targets="b", training={"epochs": 1, "batch": 24})
    for balance in (True, False):
        plan = Plan(recipe, Objective(losses=[CrossEntropy(balance=balance)]), 0, tmp_path / str(balance), "f", 3)
        real = AutoencoderBrain.compute_forward

        def spy(self, batch, stage, real=real):
            seen.append(self.class_weights)
            return real(self, batch, stage)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AutoencoderBrain, "compute_forward", spy)
            fit(plan, rows, rows)
    inverse = torch.tensor([1 / 12, 1 / 6, 1 / 2])
    assert torch.allclose(seen[0], inverse / inverse.mean())
    assert seen[-1] is None
