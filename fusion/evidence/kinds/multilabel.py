"""Any of several labels: probabilities (N, K) against 0 and 1 (N, K), -100 where not labelled."""

# Shapes: N records, K labels, R replicates.

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score
from torch import Tensor
from torchmetrics import Metric

from fusion.evidence.kinds.base import Kind
from fusion.targets import UNLABELLED

THRESHOLD = 0.5


class MultilabelKind(Kind):
    """F1 at 0.5, mean over labels (macro) and over all decisions (micro), and mean average precision."""

    headline = ("macro_f1",)
    shown = ("micro_f1", "mean_average_precision")

    def metric(self) -> Metric:
        return MultilabelMetrics(names=self.names)

    def resample(self, predicted: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        hits, errors = counts(predicted, reference)
        hits, errors = weights @ hits, weights @ errors  # (R, K)
        return {"macro_f1": _macro(hits, errors), "micro_f1": _f1(hits.sum(1), errors.sum(1))}

    def draw(self, predicted: np.ndarray, reference: np.ndarray) -> dict[str, Figure]:
        hits, errors = counts(predicted, reference)
        figure, axis = plt.subplots(figsize=(6, 1.2 + 0.3 * len(self.names)), layout="constrained")
        axis.barh(self.names, np.nan_to_num(_f1(hits.sum(0), errors.sum(0))), color="#5b8fc9")
        axis.set(xlim=(0, 1), xlabel=f"F1 at {THRESHOLD}")
        return {"labels": figure}


class MultilabelMetrics(Metric):
    """Macro-F1, micro-F1, mean average precision and F1 a label of a whole split."""

    full_state_update = False

    def __init__(self, *, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.add_state("predicted", default=[], dist_reduce_fx="cat")
        self.add_state("reference", default=[], dist_reduce_fx="cat")

    def update(self, predicted: Tensor, reference: Tensor) -> None:
        """``predicted``, ``reference``: (B, K)."""
        self.predicted.append(predicted.float())
        self.reference.append(reference)

    def compute(self) -> dict[str, Tensor]:
        predicted, reference = (torch.cat(list(x)).numpy() for x in (self.predicted, self.reference))
        hits, errors = (x.sum(0) for x in counts(predicted, reference))
        by_label = _f1(hits, errors)
        scores = {
            "macro_f1": _macro(hits[None], errors[None])[0],
            "micro_f1": _f1(hits.sum(), errors.sum()),
            "mean_average_precision": _mean_average_precision(predicted, reference),
            **{f"f1_{name}": value for name, value in zip(self.names, by_label, strict=True)},
        }
        return {name: torch.tensor(float(value)) for name, value in scores.items()}


def counts(predicted: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, K) twice: true positives; false positives and false negatives. Unlabelled ones are neither."""
    is_said, is_true = predicted >= THRESHOLD, reference == 1
    is_labelled = reference != UNLABELLED
    return (is_said & is_true).astype(float), ((is_said != is_true) & is_labelled).astype(float)


def _f1(hits: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """NaN where there is nothing to find and nothing found."""
    with np.errstate(invalid="ignore"):
        return 2 * hits / (2 * hits + errors)


def _macro(hits: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(R, K) -> (R,): mean over the labels that occur as truth or answer."""
    f1 = _f1(hits, errors)
    occurs = np.isfinite(f1)
    return np.where(occurs, f1, 0).sum(1) / np.maximum(occurs.sum(1), 1)


def _mean_average_precision(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Over the labels of which some record is true and some is not."""
    values = []
    for said, true in zip(predicted.T, reference.T, strict=True):
        is_labelled = true != UNLABELLED
        if 0 < (true[is_labelled] == 1).sum() < is_labelled.sum():
            values.append(average_precision_score(true[is_labelled], said[is_labelled]))
    return float(np.mean(values)) if values else float("nan")
