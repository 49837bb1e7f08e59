"""Intervals for records that share sources: people, voices, photos and posts are drawn again, never records."""

# Shapes: B records, K classes, D draws.

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def macro_f1(labels: np.ndarray, decided: np.ndarray, weights: np.ndarray, num_classes: int) -> float:
    """Mean F1 of the classes of weighted records; ``labels``, ``decided``, ``weights``: (B,)."""
    matrix = _confusion(labels, decided, weights, num_classes)
    total = matrix.sum(0) + matrix.sum(1)
    return float(np.mean(2 * np.diag(matrix) / np.maximum(total, 1e-12)))


def balanced_accuracy(labels: np.ndarray, decided: np.ndarray, weights: np.ndarray, num_classes: int) -> float:
    """Mean recall of the classes that have weight."""
    matrix = _confusion(labels, decided, weights, num_classes)
    total = matrix.sum(1)
    return float(np.mean(np.diag(matrix)[total > 0] / total[total > 0]))


def source_weights(sources: Sequence[Mapping[str, str]], num_draws: int, seed: int) -> np.ndarray:
    """(D, B) how often each record counts when the sources of every kind are drawn again with replacement.

    A record made of several sources counts as often as their product: the pigeonhole bootstrap (Owen 2007), which
    is cautious where kinds are crossed, as they are here.
    """
    rng = np.random.default_rng(seed)
    weights = np.ones((num_draws, len(sources)))
    for kind in sorted(sources[0]):
        names, index = np.unique([source[kind] for source in sources], return_inverse=True)
        weights *= rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=num_draws)[:, index]
    return weights


def interval(draws: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of bootstrap draws."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float) -> str:
    """What an interval of a difference says."""
    return "better" if low > 0 else "worse" if high < 0 else "unresolved"


def _confusion(labels: np.ndarray, decided: np.ndarray, weights: np.ndarray, num_classes: int) -> np.ndarray:
    cells = np.bincount(labels * num_classes + decided, weights=weights, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)
