"""Errors of numbers: against scikit-learn, over batches, without what is not labelled."""

import math

import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from fusion.evidence.kinds.numbers import NumbersMetrics


@pytest.fixture
def numbers():
    generator = torch.Generator().manual_seed(0)
    truth = 1000 + 5 * torch.randn(40, 2, generator=generator)
    said = truth + torch.randn(40, 2, generator=generator)
    truth[::3, 1] = math.nan
    return said, truth


def measured(said, truth, targets):
    metrics = NumbersMetrics(names=targets)
    for first in range(0, len(said), 7):
        metrics.update(said[first : first + 7], truth[first : first + 7])
    return {name: value.item() for name, value in metrics.compute().items()}


def test_batches_add_up_to_what_scikit_learn_says_of_the_whole(numbers):
    said, truth = numbers
    scores = measured(said, truth, ["x", "y"])
    for i, name in enumerate("xy"):
        known = truth[:, i].isfinite()
        pair = truth[known, i].numpy(), said[known, i].numpy()
        assert scores[f"{name}_mae"] == pytest.approx(mean_absolute_error(*pair), rel=1e-5)
        assert scores[f"{name}_rmse"] == pytest.approx(root_mean_squared_error(*pair), rel=1e-5)
        assert scores[f"{name}_r2"] == pytest.approx(r2_score(*pair), abs=1e-5)


def test_a_target_nobody_labels_is_left_out_and_one_target_needs_no_prefix(numbers):
    said, truth = numbers
    truth[:, 1] = math.nan
    assert set(measured(said, truth, ["x", "y"])) == {"x_mae", "x_rmse", "x_r2"}
    assert set(measured(said[:, :1], truth[:, :1], ["x"])) == {"mae", "rmse", "r2"}
