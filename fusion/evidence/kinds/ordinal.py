"""One of several ranks in order: probabilities (N, K) against ranks (N,)."""

# Shapes: N records, K ranks, R replicates.

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torchmetrics import Metric

from fusion.evidence.intervals import balanced_accuracy, confusion, macro_f1
from fusion.evidence.kinds.base import Kind
from fusion.evidence.kinds.classes import draw_calibration, draw_confusion


class OrdinalKind(Kind):
    """Mean absolute error in ranks, quadratic weighted kappa, macro-F1, balanced accuracy and accuracy."""

    headline = ("mae_ranks",)
    shown = ("weighted_kappa", "macro_f1")
    is_error = True

    def metric(self) -> Metric:
        return OrdinalMetrics(num_ranks=len(self.names))

    def resample(self, predicted: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        decided = median_rank(predicted)
        scores = [ordinal_scores(confusion(reference, decided, len(self.names), own)) for own in weights]
        return {name: np.array([own[name] for own in scores]) for name in scores[0]}

    def draw(self, predicted: np.ndarray, reference: np.ndarray) -> dict[str, Figure]:
        matrix = confusion(reference, median_rank(predicted), len(self.names))
        return {
            "confusion": draw_confusion(matrix, self.names),
            "calibration": draw_calibration(predicted, reference),
        }


class OrdinalMetrics(Metric):
    """``ordinal_scores`` of a whole split, from its confusion matrix."""

    full_state_update = False

    def __init__(self, *, num_ranks: int) -> None:
        super().__init__()
        self.add_state("matrix", default=torch.zeros(num_ranks, num_ranks), dist_reduce_fx="sum")

    def update(self, predicted: Tensor, reference: Tensor) -> None:
        """``predicted`` (B, K) probabilities, ``reference`` (B,) ranks."""
        decided = median_rank(predicted.float().numpy())
        self.matrix += torch.from_numpy(confusion(reference.numpy(), decided, len(self.matrix)))

    def compute(self) -> dict[str, Tensor]:
        return {name: torch.tensor(value) for name, value in ordinal_scores(self.matrix.numpy()).items()}


def median_rank(probabilities: np.ndarray) -> np.ndarray:
    """(N, K) -> (N,): the rank with half of the probability at or below it, which absolute errors ask for."""
    return (probabilities.cumsum(1) < 0.5).sum(1).clip(max=probabilities.shape[1] - 1)


def ordinal_scores(matrix: np.ndarray) -> dict[str, float]:
    """Scores of a confusion matrix (K, K), rows = truth; kappa with squared distances (Cohen 1968)."""
    rank = np.arange(len(matrix))
    gap = np.abs(rank[:, None] - rank)
    total = matrix.sum()
    by_chance = np.outer(matrix.sum(1), matrix.sum(0)) / total
    disagreement = (gap**2 * by_chance).sum()
    kappa = 1 - (gap**2 * matrix).sum() / disagreement if disagreement else np.nan
    return {
        "mae_ranks": float((gap * matrix).sum() / total),
        "weighted_kappa": float(kappa),
        "macro_f1": macro_f1(matrix),
        "balanced_accuracy": balanced_accuracy(matrix),
        "accuracy": float(np.trace(matrix) / total),
    }
