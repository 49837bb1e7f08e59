"""One of several classes: probabilities (N, K) against class indices (N,)."""

# Shapes: N records, K classes, R replicates.

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from torchmetrics import MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassAUROC,
    MulticlassCalibrationError,
    MulticlassF1Score,
)

from fusion.evidence.intervals import balanced_accuracy, confusion, macro_f1
from fusion.evidence.kinds.base import Kind

NUM_BINS = 15  # of the calibration error, as Guo et al. 2017
MOST_DRAWN = 40  # classes: beyond, a cell of the confusion matrix is smaller than its number


class ClassesKind(Kind):
    """Accuracy, macro-F1, balanced accuracy (mean recall), macro AUROC (one against rest) and ECE (15 bins, L1)."""

    headline = ("macro_f1",)
    shown = ("balanced_accuracy", "auroc", "ece")

    def metric(self) -> MetricCollection:
        num = len(self.names)
        return MetricCollection(
            {
                "accuracy": MulticlassAccuracy(num, average="micro"),
                "macro_f1": MulticlassF1Score(num, average="macro"),
                "balanced_accuracy": MulticlassAccuracy(num, average="macro"),
                "auroc": MulticlassAUROC(num, average="macro"),
                "ece": MulticlassCalibrationError(num, n_bins=NUM_BINS, norm="l1"),
            }
        )

    def resample(self, predicted: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        decided = predicted.argmax(1)
        matrices = [confusion(reference, decided, len(self.names), own) for own in weights]
        scores = {"macro_f1": macro_f1, "balanced_accuracy": balanced_accuracy}
        return {name: np.array([score(matrix) for matrix in matrices]) for name, score in scores.items()}

    def draw(self, predicted: np.ndarray, reference: np.ndarray) -> dict[str, Figure]:
        pictures = {"calibration": draw_calibration(predicted, reference)}
        if len(self.names) <= MOST_DRAWN:
            matrix = confusion(reference, predicted.argmax(1), len(self.names))
            pictures["confusion"] = draw_confusion(matrix, self.names)
        return pictures


def draw_confusion(matrix: np.ndarray, names: tuple[str, ...]) -> Figure:
    """Row-normalised confusion matrix (K, K) with counts; rows = truth."""
    share = matrix / matrix.sum(1, keepdims=True).clip(min=1)
    size = 2.5 + 0.55 * len(names)
    figure, axis = plt.subplots(figsize=(size + 0.8, size), layout="constrained")
    image = axis.imshow(share, vmin=0, vmax=1, cmap="Blues")
    for (i, j), count in np.ndenumerate(matrix):
        axis.text(j, i, f"{count:.0f}", ha="center", va="center", color="white" if share[i, j] > 0.5 else "black")
    axis.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    figure.colorbar(image, label="share of the true class")
    return figure


def draw_calibration(probabilities: np.ndarray, reference: np.ndarray) -> Figure:
    """Share of right answers against how sure they were, in bins; the area of a dot is its number of records."""
    sure, is_right = probabilities.max(1), probabilities.argmax(1) == reference
    bins = np.minimum((sure * NUM_BINS).astype(int), NUM_BINS - 1)
    counts = np.bincount(bins, minlength=NUM_BINS)
    filled = counts > 0
    mean_sure = np.bincount(bins, sure, NUM_BINS)[filled] / counts[filled]
    share_right = np.bincount(bins, is_right, NUM_BINS)[filled] / counts[filled]
    figure, axis = plt.subplots(figsize=(4.2, 4), layout="constrained")
    axis.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--", label="perfectly calibrated")
    axis.scatter(mean_sure, share_right, s=10 + 300 * counts[filled] / counts.sum(), color="#5b8fc9")
    axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of the answer", ylabel="share of right answers")
    axis.legend(loc="upper left", fontsize=8)
    return figure
