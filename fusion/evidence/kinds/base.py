"""What every kind of target promises to the reports."""

# Shapes: N records, R replicates of a bootstrap.

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from matplotlib.figure import Figure
from torchmetrics import Metric, MetricCollection


class Kind(ABC):
    """Measure and draw the answers to one target; ``names`` and ``unit`` are the target's.

    ``headline``: the metric that stands for the target in tables; several, where each name has its own. ``shown``: what
    the closing table says beside it. Predictions and references come as ``metric`` is fed: see each file.
    """

    shown: ClassVar[tuple[str, ...]] = ()
    is_error: ClassVar[bool] = False  # the headline is better where it is lower

    def __init__(self, *, names: Sequence[str], unit: str) -> None:
        self.names, self.unit = tuple(names), unit

    @property
    @abstractmethod
    def headline(self) -> tuple[str, ...]:
        """Names of the metrics that stand for the target."""

    def beside(self, headline: str) -> tuple[str, ...]:
        """What the closing table says beside one of the headlines."""
        return self.shown

    @abstractmethod
    def metric(self) -> Metric | MetricCollection:
        """A fresh metric of a whole split, fed with the labelled records only."""

    @abstractmethod
    def resample(self, predicted: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        """{metric: (R,)} where record n counts ``weights`` (R, N)[r, n] times; NaN where a replicate has no label."""

    @abstractmethod
    def draw(self, predicted: np.ndarray, reference: np.ndarray) -> dict[str, Figure]:
        """Pictures by name; the caller titles, saves and closes them."""
