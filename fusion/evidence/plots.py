"""The three pictures of a run: curves, confusion matrix, subsets against their ceiling."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen on a cluster node
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd


def plot_curves(metrics_csv: Path, path: Path, columns: list[list[str]]) -> None:
    """One panel per list of ``columns`` of Lightning's metrics.csv over the optimiser steps."""
    history = pd.read_csv(metrics_csv)
    figure, axes = plt.subplots(1, len(columns), figsize=(4.5 * len(columns), 3.2), squeeze=False, layout="constrained")
    for axis, names in zip(axes[0], columns, strict=True):
        for name in (name for name in names if name in history):
            values = history[["step", name]].dropna()
            axis.plot(values["step"], values[name], label=name, marker="." if len(values) < 40 else None)
        axis.set_xlabel("optimiser step")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    axes[0][0].set_yscale("log")  # the first panel holds the losses
    figure.savefig(path, dpi=130)
    plt.close(figure)


def plot_confusion(matrix: np.ndarray, classes: list[str], path: Path) -> None:
    """Row-normalised confusion matrix with counts; rows = truth."""
    share = matrix / matrix.sum(1, keepdims=True).clip(min=1)
    size = 2.5 + 0.55 * len(classes)
    figure, axis = plt.subplots(figsize=(size + 0.8, size), layout="constrained")
    image = axis.imshow(share, vmin=0, vmax=1, cmap="Blues")
    for (i, j), count in np.ndenumerate(matrix):
        axis.text(j, i, f"{count:.0f}", ha="center", va="center", color="white" if share[i, j] > 0.5 else "black")
    axis.set_xticks(range(len(classes)), classes, rotation=40, ha="right")
    axis.set_yticks(range(len(classes)), classes)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    figure.colorbar(image, label="share of the true class")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def plot_subsets(results: dict[str, dict[str, float]], ceiling: dict[str, dict[str, float]], path: Path) -> None:
    """Balanced accuracy of every subset of modality groups with its interval, beside the ceiling where it is known."""
    rows = [row for row in results if "health_state/balanced_accuracy_low" in results[row]]
    rows.sort(key=lambda row: results[row]["health_state/balanced_accuracy"])
    columns = [f"health_state/balanced_accuracy{end}" for end in ("", "_low", "_high")]
    score, low, high = ([results[row][column] for row in rows] for column in columns)
    figure, axis = plt.subplots(figsize=(7, 1.2 + 0.3 * len(rows)), layout="constrained")
    axis.barh(rows, score, color="#5b8fc9", label="test")
    axis.hlines(rows, low, high, color="black", linewidth=1.2, label="95 % over sources")
    known = [(row, ceiling[row]["balanced_accuracy"]) for row in rows if row in ceiling]
    if known:
        axis.scatter(
            [c for _, c in known], [row for row, _ in known], marker="|", s=160, color="#c23b22", label="ceiling"
        )
    axis.set_xlim(0, 1)
    axis.set_xlabel("balanced accuracy of the health state")
    axis.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)
