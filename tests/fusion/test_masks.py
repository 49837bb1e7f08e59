"""masks.py: garbage where ``valid`` is False never reaches a number."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from fusion.masks import (
    attention_mask,
    has_any,
    masked_mean,
    masked_statistics,
    patch_mean,
    patch_valid,
    patches,
    remask,
)


@pytest.fixture
def row():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 7, 3, generator=generator)
    valid = torch.tensor([[1, 1, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0, 0]], dtype=torch.bool)
    return x.masked_fill(~valid[..., None], torch.nan), valid


def test_statistics_are_those_of_the_valid_steps_alone(row):
    x, valid = row
    kept = x[0][valid[0]].numpy()
    step = np.abs([x[0, 1].numpy() - x[0, 0].numpy(), x[0, 4].numpy() - x[0, 3].numpy()]).mean(axis=0)
    expected = [kept.mean(0), np.sqrt(kept.var(0) + 1e-6), kept.min(0), kept.max(0), step]
    assert_close(masked_statistics(x, valid)[0].numpy(), np.concatenate(expected), rtol=1e-5, atol=1e-6)


def test_a_row_without_a_valid_step_has_finite_statistics_and_gradients(row):
    x, valid = row
    x = x.requires_grad_()
    statistics = masked_statistics(x, valid)
    statistics.sum().backward()
    assert torch.isfinite(statistics).all()
    assert torch.isfinite(x.grad).all()
    assert_close(masked_mean(x, valid)[1], torch.zeros(3))


def test_remask_removes_nan(row):
    x, valid = row
    assert torch.isfinite(remask(x, valid)).all()
    assert_close(remask(x, valid)[valid], x[valid])


def test_patches_start_at_step_zero_and_ignore_padding(row):
    x, valid = row
    assert patches(x, 3).shape == (2, 3, 3, 3)
    assert patch_valid(valid, 3).tolist() == [[True, True, False], [False] * 3]
    means = patch_mean(x, valid, 3)
    assert_close(means[0, 0], x[0, :2].mean(0))
    assert_close(means[0, 2], torch.zeros(3))
    longer = torch.cat([x, torch.full((2, 5, 3), torch.nan)], dim=1)
    longer_valid = torch.cat([valid, torch.zeros(2, 5, dtype=torch.bool)], dim=1)
    assert_close(patch_mean(longer, longer_valid, 3)[:, :3], means)


def test_attention_mask_keeps_true_as_real():
    valid = torch.tensor([[True, False]])
    assert attention_mask(valid).shape == (1, 1, 1, 2)
    assert attention_mask(valid).flatten().tolist() == [True, False]
    assert has_any(valid).tolist() == [True]
