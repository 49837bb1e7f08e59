"""The pictures of a run: curves, what each kind of target draws, and subsets of modalities against their ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from fusion.evidence.kinds import kind_of
from fusion.evidence.results import Predictions, collect
from fusion.targets import Target


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


def plot_answers(predictions: Predictions, asked: Mapping[str, Target], folder: Path) -> None:
    """<head>_<picture>.png: what each head said of the records as they came."""
    for head, target in asked.items():
        said = collect(predictions, head).get("as_recorded")
        if said is None:
            continue
        for name, figure in kind_of(target).draw(said.predicted, said.reference).items():
            figure.suptitle(f"{head}: test, as recorded, n = {len(said.record_ids)}", fontsize=10)
            figure.savefig(folder / f"{head}_{name}.png", dpi=130)
            plt.close(figure)


def plot_subsets(
    results: dict[str, dict[str, float]], head: str, target: Target, ceiling: Mapping[str, dict], path: Path
) -> None:
    """The headline of ``head`` for every subset of modality groups, with its interval, and the ceiling if known."""
    kind = kind_of(target)
    metric = "balanced_accuracy" if ceiling else kind.headline[0]  # a ceiling is known of balanced decisions
    key = f"{head}/{metric}"
    rows = [row for row in results if f"{key}_low" in results[row]]
    if not rows:
        return
    rows.sort(key=lambda row: results[row][key], reverse=kind.is_error)
    score, low, high = ([results[row][f"{key}{end}"] for row in rows] for end in ("", "_low", "_high"))
    figure, axis = plt.subplots(figsize=(7, 1.4 + 0.3 * len(rows)), layout="constrained")
    axis.barh(rows, score, color="#5b8fc9", label="test")
    axis.hlines(rows, low, high, color="black", linewidth=1.2, label="95 % over sources")
    best = [(ceiling[row][metric], row) for row in rows if row in ceiling]
    if best:
        axis.scatter(*zip(*best, strict=True), marker="|", s=160, color="#c23b22", label="ceiling")
    if not kind.is_error:
        axis.set_xlim(0, 1)
    unit = f" ({target.unit})" if target.unit else ""
    axis.set_xlabel(f"{metric.replace('_', ' ')}{unit}")
    axis.set_title(f"{head}: test, by what was shown", fontsize=10)
    axis.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)
