"""Intervals over the people, speakers, photos and posts behind the records, never over records."""

# Shapes: N records, K classes, R replicates.

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

LEVEL = 0.95


def confusion(labels: np.ndarray, predicted: np.ndarray, num_classes: int, weights: np.ndarray | None = None):
    """Weighted confusion matrix (K, K), rows = truth."""
    flat = np.bincount(labels * num_classes + predicted, weights=weights, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes)


def macro_f1(matrix: np.ndarray) -> float:
    """Mean F1 over the classes that occur as truth or prediction."""
    hits, truth, predicted = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    occurs = truth + predicted > 0
    return float((2 * hits[occurs] / (truth + predicted)[occurs]).mean())


def balanced_accuracy(matrix: np.ndarray) -> float:
    """Mean recall over the classes that occur as truth."""
    occurs = matrix.sum(1) > 0
    return float((np.diag(matrix)[occurs] / matrix.sum(1)[occurs]).mean())


def source_weights(sources: list[dict[str, str]], num_replicates: int, seed: int) -> Iterator[np.ndarray]:
    """Weights (N,) of ``num_replicates`` bootstrap replicates.

    Units of every kind of source (person, speaker, photo, post) are drawn with replacement and a record counts as often
    as all its sources together: the pigeonhole bootstrap for crossed factors (Owen 2007, section 3).
    """
    generator = np.random.default_rng(seed)
    kinds = sorted({kind for record in sources for kind in record})
    codes = [np.unique([record.get(kind, "") for record in sources], return_inverse=True)[1] for kind in kinds]
    sizes = [code.max() + 1 for code in codes]
    for _ in range(num_replicates):
        weights = np.zeros(len(sources))
        while not weights.any():
            drawn = [np.bincount(generator.integers(size, size=size), minlength=size) for size in sizes]
            draws = [times[code] for times, code in zip(drawn, codes, strict=True)]
            weights = np.prod(draws, axis=0, dtype=float)
        yield weights


def central(values: list[float]) -> tuple[float, float]:
    """The bounds of the central 95 %."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def verdict(low: float, high: float) -> str:
    """better, worse or unresolved."""
    return "better" if low > 0 else "worse" if high < 0 else "unresolved"
