"""Errors of several numbers over a whole split, each in its own unit; what is not labelled does not count."""

# Shapes: B records, P targets.

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class RegressionMetrics(Metric):
    """Per target: mae and rmse in the target's unit, and r2, the share of this split's variance explained.

    One target is reported as mae, rmse, r2; several as <target>_mae and so on. A target that no record labels is left
    out. Sums are kept in double precision, so that batches and processes may come in any order.
    """

    full_state_update = False

    def __init__(self, *, targets: list[str]) -> None:
        super().__init__()
        self.targets = list(targets)
        for name in ("count", "error", "square", "total", "total_square"):
            self.add_state(name, default=torch.zeros(len(targets), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, predicted: Tensor, reference: Tensor) -> None:
        """``predicted``, ``reference``: (B, P); NaN in ``reference`` is not labelled."""
        known = reference.isfinite()
        reference = torch.where(known, reference, 0).double()
        gap = torch.where(known, predicted.double() - reference, 0)
        self.count += known.sum(0)
        self.error += gap.abs().sum(0)
        self.square += gap.square().sum(0)
        self.total += reference.sum(0)
        self.total_square += reference.square().sum(0)

    def compute(self) -> dict[str, Tensor]:
        """{mae, rmse, r2}, each with its target in front where there are several."""
        scores = {}
        for i, target in enumerate(self.targets):
            count = self.count[i]
            if not count:
                continue
            prefix = "" if len(self.targets) == 1 else f"{target}_"
            variance = self.total_square[i] - self.total[i] ** 2 / count
            scores[f"{prefix}mae"] = self.error[i] / count
            scores[f"{prefix}rmse"] = (self.square[i] / count).sqrt()
            if variance > 0:
                scores[f"{prefix}r2"] = 1 - self.square[i] / variance
        return scores
