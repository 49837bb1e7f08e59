"""Prepare wearable signals as what they are like on the whole: one step of statistics a recording."""

# Shapes: T steps of the series behind it, D channels.

from __future__ import annotations

import numpy as np

from datamodules.records import Signal
from datamodules.transforms.base import Prepared
from datamodules.transforms.signal import PrepareSignal

STATISTICS = ("mean", "spread", "low", "high", "step")  # mean, standard deviation, 10th and 90th percentile, mean step


class PrepareStatistics(PrepareSignal):
    """The statistics of the channels that ``PrepareSignal`` of the same settings gives, over their valid steps.

    ``values`` (1, 6 D): the mean of every channel, then the five STATISTICS of its change from the person's rest
    (with ``baseline`` "none": of the channel itself). They are taken in physical units and scaled afterwards: scaled
    before, skin conductance responses are cut off and say less.
    """

    @property
    def emitted(self) -> tuple[str, ...]:
        form = "{}_{}" if self.baseline == "none" else "{}_change_{}"
        changes = (form.format(channel, name) for name in STATISTICS for channel in self.channels)
        return (*(f"{channel}_level" for channel in self.channels), *changes)

    def __call__(self, part: Signal) -> Prepared:
        series = super().__call__(part)
        return self.summary(series) if series.valid.any() else self.absent()

    def summary(self, series: Prepared) -> Prepared:
        """One step from the whole series of ``PrepareSignal``, at the mean time of its valid steps."""
        values, valid, time_s = series
        num = len(self.channels)
        level = values[:, :num]
        change = level if self.baseline == "none" else values[:, num : 2 * num]
        known = change[valid].astype(np.float64)
        low, high = np.percentile(known, [10, 90], axis=0)
        both = valid[1:] & valid[:-1]
        step = np.abs(np.diff(change, axis=0)[both]).mean(0) if both.any() else np.zeros(num)
        row = np.concatenate([level[valid].mean(0), known.mean(0), known.std(0), low, high, step])
        return Prepared(row[None].astype(np.float32), np.ones(1, bool), time_s[valid].mean(keepdims=True))
