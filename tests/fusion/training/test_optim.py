"""The optimiser's groups and its schedule."""

import pytest
from torch import nn

from fusion.training.optim import AdamW

SETTINGS = {"lr": 1.0, "weight_decay": 0.1, "betas": (0.9, 0.99), "backbone_lr_scale": 0.1}


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.backbone = nn.Linear(2, 2)
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.head = nn.Sequential(nn.LayerNorm(2), nn.Linear(2, 2))


def test_backbones_learn_slower_norms_do_not_decay_and_frozen_weights_are_left_out():
    model = Parts()
    optimizer, _ = AdamW(**SETTINGS, warmup_fraction=0.0, final_fraction=0.0).build(model, 10)
    settings = {id(p): (g["initial_lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]}
    assert settings[id(model.encoder.backbone.weight)] == (0.1, 0.1)
    assert settings[id(model.encoder.backbone.bias)] == (0.1, 0.0)
    assert settings[id(model.head[1].weight)] == (1.0, 0.1)
    assert settings[id(model.head[0].weight)] == (1.0, 0.0)
    assert id(model.frozen.weight) not in settings


def test_rate_warms_up_then_falls_to_its_floor():
    optim = AdamW(**SETTINGS, warmup_fraction=0.1, final_fraction=0.05)
    rates = [optim.fraction(step, 100) for step in range(101)]
    assert rates[:10] == sorted(rates[:10]) and rates[0] > 0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[10] == pytest.approx(1.0) and rates[100] == pytest.approx(0.05)


def test_nothing_to_train_is_an_error():
    with pytest.raises(ValueError, match="no trainable parameter"):
        AdamW(**SETTINGS, warmup_fraction=0.1, final_fraction=0.0).build(nn.Linear(2, 2).requires_grad_(False), 1)
