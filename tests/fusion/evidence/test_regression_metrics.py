"""Errors of numbers: against scikit-learn, over batches, without what is not labelled; their intervals and table."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from fusion.evidence.regression_metrics import RegressionMetrics
from fusion.evidence.results import add_intervals
from fusion.evidence.table import print_table


@pytest.fixture
def numbers():
    generator = torch.Generator().manual_seed(0)
    truth = 1000 + 5 * torch.randn(40, 2, generator=generator)
    said = truth + torch.randn(40, 2, generator=generator)
    truth[::3, 1] = math.nan
    return said, truth


def measured(said, truth, targets):
    metrics = RegressionMetrics(targets=targets)
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


def test_intervals_of_the_error_are_over_sources_and_the_table_shows_them(numbers, capsys):
    said, truth = numbers
    ids = [f"r{i}" for i in range(40)]
    scores = {f"regression/{name}": value for name, value in measured(said, truth, ["x", "y"]).items()}
    results = {"as_recorded": scores}
    sources = {name: {"person": f"p{i // 4}"} for i, name in enumerate(ids)}
    add_intervals(results, {"as_recorded": {"regression": [(ids, said, truth)]}}, sources, 200)
    row = results["as_recorded"]
    for name in "xy":
        key = f"regression/{name}_rmse"
        assert row[f"{key}_low"] < row[key] < row[f"{key}_high"]
    one = {name: {"person": "only"} for name in ids}  # a single source: no spread at all
    add_intervals(results, {"as_recorded": {"regression": [(ids, said, truth)]}}, one, 50)
    assert np.isclose(row["regression/x_rmse_low"], row["regression/x_rmse_high"])
    print_table("title", results, ["as_recorded"], {}, {})
    shown = capsys.readouterr().out
    assert "x_rmse" in shown and f"{row['regression/x_rmse']:.3f}" in shown and "macro-F1" not in shown
