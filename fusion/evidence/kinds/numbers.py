"""Several numbers in one unit: (N, P) against (N, P), NaN where not labelled."""

# Shapes: N records, P numbers, R replicates.

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torchmetrics import Metric

from fusion.evidence.kinds.base import Kind


class NumbersKind(Kind):
    """Mean absolute and root mean square error in the unit, and the share of variance explained, by number."""

    shown = ("mae", "r2")
    is_error = True

    @property
    def headline(self) -> tuple[str, ...]:
        return tuple(f"{prefix_of(name, self.names)}rmse" for name in self.names)

    def beside(self, headline: str) -> tuple[str, ...]:
        """The same number's other errors."""
        return tuple(f"{headline.removesuffix('rmse')}{metric}" for metric in self.shown)

    def metric(self) -> Metric:
        return NumbersMetrics(names=self.names)

    def resample(self, predicted: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        squares = np.square(predicted - reference)
        is_known = np.isfinite(squares)
        with np.errstate(invalid="ignore"):  # a replicate without any label of a number is NaN
            errors = np.sqrt(weights @ np.where(is_known, squares, 0) / (weights @ is_known))
        return {key: column for key, column, any_ in zip(self.headline, errors.T, is_known.any(0), strict=True) if any_}

    def draw(self, predicted: np.ndarray, reference: np.ndarray) -> dict[str, Figure]:
        num = len(self.names)
        figure, axes = plt.subplots(1, num, figsize=(3.6 * num, 3.6), squeeze=False, layout="constrained")
        for axis, name, said, true in zip(axes[0], self.names, predicted.T, reference.T, strict=True):
            is_known = np.isfinite(true)
            axis.scatter(true[is_known], said[is_known], s=6, alpha=0.4, color="#5b8fc9")
            if is_known.any():
                ends = [
                    min(true[is_known].min(), said[is_known].min()),
                    max(true[is_known].max(), said[is_known].max()),
                ]
                axis.plot(ends, ends, color="grey", linewidth=1, linestyle="--")
            unit = f" ({self.unit})" if self.unit else ""
            axis.set(title=f"{name}, n = {is_known.sum()}", xlabel=f"true{unit}", ylabel=f"predicted{unit}")
        return {"predicted": figure}


def prefix_of(name: str, names: Sequence[str]) -> str:
    """In front of a metric's name: the number, where there are several."""
    return "" if len(names) == 1 else f"{name}_"


class NumbersMetrics(Metric):
    """Per number: mae and rmse in its unit, and r2, the share of this split's variance explained.

    One number is reported as mae, rmse, r2; several as <name>_mae and so on. One that no record labels is left out.
    Sums are kept in double precision, so that batches and processes may come in any order.
    """

    full_state_update = False

    def __init__(self, *, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)
        for state in ("count", "error", "square", "total", "total_square"):
            self.add_state(state, default=torch.zeros(len(names), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, predicted: Tensor, reference: Tensor) -> None:
        """``predicted``, ``reference``: (B, P); NaN in ``reference`` is not labelled."""
        is_known = reference.isfinite()
        reference = torch.where(is_known, reference, 0).double()
        gap = torch.where(is_known, predicted.double() - reference, 0)
        self.count += is_known.sum(0)
        self.error += gap.abs().sum(0)
        self.square += gap.square().sum(0)
        self.total += reference.sum(0)
        self.total_square += reference.square().sum(0)

    def compute(self) -> dict[str, Tensor]:
        """{mae, rmse, r2}, each with its number in front where there are several."""
        scores = {}
        for i, name in enumerate(self.names):
            count = self.count[i]
            if not count:
                continue
            prefix = prefix_of(name, self.names)
            variance = self.total_square[i] - self.total[i] ** 2 / count
            scores[f"{prefix}mae"] = self.error[i] / count
            scores[f"{prefix}rmse"] = (self.square[i] / count).sqrt()
            if variance > 0:
                scores[f"{prefix}r2"] = 1 - self.square[i] / variance
        return scores
