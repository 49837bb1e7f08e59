"""Every objective of conf/: a finite loss of any batch, and every head's part under its name."""

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from small import draw_batch, small_model

from fusion.objectives.base import Objective
from fusion.objectives.weighted_sum import WeightedSum
from fusion.training.compose import CONF

OBJECTIVES = sorted((CONF / "objective").glob("*.yaml"))


@pytest.mark.parametrize("path", OBJECTIVES, ids=lambda path: path.stem)
@pytest.mark.parametrize("present", [1.0, 0.5, 0.0])
def test_every_objective_teaches_every_weight_whatever_is_present(path, present):
    objective, model, batch = instantiate(OmegaConf.load(path)), small_model(), draw_batch(0, present=present)
    assert isinstance(objective, Objective)
    fused, outputs = model(batch, with_tokens=True)
    losses = objective(model, batch, fused, outputs)
    losses["loss"].backward()
    assert torch.isfinite(losses["loss"])
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters() if p.requires_grad)


def test_the_weighted_sum_weighs_each_head_and_its_share():
    model, batch = small_model(), draw_batch(0)
    fused, outputs = model(batch, with_tokens=True)
    losses = WeightedSum()(model, batch, fused, outputs)
    expected = sum(head.loss_weight * losses[name] for name, head in model.heads.items())
    torch.testing.assert_close(losses["loss"], expected)
    shares = {name: torch.tensor(0.5) for name in model.heads}
    halved = WeightedSum()(model, batch, fused, outputs, shares)
    torch.testing.assert_close(halved["loss"], expected / 2)
    assert all(torch.equal(halved[name], losses[name]) for name in model.heads)
