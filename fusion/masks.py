"""The only place a mask changes form. ``valid`` is bool, True = real, from collate to loss."""

# Shapes: B people, T time steps, C channels, N patches or tokens, P steps a patch.

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-6  # under the root of a variance: keeps the gradient of constant channels finite


def has_any(valid: Tensor) -> Tensor:
    """Which rows have the modality at all: (B, T) -> (B,)."""
    return valid.any(dim=1)


def attention_mask(valid: Tensor) -> Tensor:
    """(B, N) -> (B, 1, 1, N) for ``F.scaled_dot_product_attention``: True = may be attended to."""
    return valid[:, None, None, :]


def remask(x: Tensor, valid: Tensor) -> Tensor:
    """Zero (B, T, ...) where ``valid`` (B, T) is False, garbage and NaN included."""
    return x.masked_fill(~_like(valid, x), 0)


def masked_mean(x: Tensor, valid: Tensor) -> Tensor:
    """Mean of (B, T, ...) over valid steps -> (B, ...); 0 where a row has none."""
    count = _like(valid, x).sum(dim=1).clamp(min=1)
    return remask(x, valid).sum(dim=1) / count


def masked_statistics(x: Tensor, valid: Tensor) -> Tensor:
    """Mean, standard deviation, minimum, maximum and mean absolute step of (B, T, C) over valid steps -> (B, 5C).

    The last is the mean of \\|x[t] - x[t-1]\\| where both are valid: of beat-to-beat heart rate, its variability.
    """
    mask = _like(valid, x)
    x = remask(x, valid)  # a NaN that only the result ignores would still reach the gradient
    mean = masked_mean(x, valid)
    std = (masked_mean((x - mean[:, None]).square(), valid) + EPSILON).sqrt()
    lowest = x.masked_fill(~mask, torch.inf).amin(dim=1)
    highest = x.masked_fill(~mask, -torch.inf).amax(dim=1)
    extremes = torch.cat([lowest, highest], dim=-1).masked_fill(~has_any(valid)[:, None], 0)
    step = masked_mean((x[:, 1:] - x[:, :-1]).abs(), valid[:, 1:] & valid[:, :-1])
    return torch.cat([mean, std, extremes, step], dim=-1)


def masked_softmax(scores: Tensor, valid: Tensor) -> Tensor:
    """Softmax of (B, Q, N) over the valid ones of N tokens (B, N), 0 elsewhere; every row needs at least one."""
    return scores.masked_fill(~valid[:, None], -torch.inf).softmax(dim=-1)


def patches(x: Tensor, size: int) -> Tensor:
    """Cut (B, T, ...) into (B, N, P=size, ...) from step 0; the last patch is filled with zeros (False)."""
    missing = -x.shape[1] % size
    x = F.pad(x, (0, 0) * (x.ndim - 2) + (0, missing))
    return x.unflatten(1, (-1, size))


def patch_valid(valid: Tensor, size: int) -> Tensor:
    """A patch is valid if any of its steps is: (B, T) -> (B, N)."""
    return patches(valid, size).any(dim=2)


def patch_mean(x: Tensor, valid: Tensor, size: int) -> Tensor:
    """Mean over the valid steps of every patch: (B, T, ...) -> (B, N, ...); 0 where a patch has none."""
    x, valid = patches(x, size), patches(valid, size)
    return masked_mean(x.flatten(0, 1), valid.flatten(0, 1)).unflatten(0, valid.shape[:2])


def _like(valid: Tensor, x: Tensor) -> Tensor:
    """``valid`` (B, T) with as many trailing dimensions as ``x``."""
    return valid.reshape(valid.shape + (1,) * (x.ndim - 2))
