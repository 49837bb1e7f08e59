"""Hand statistics and last readings of signals and sounds, and mean frozen features of texts and photos."""

# Shapes: B records, T steps, C channels, F features.

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from datamodules.base import HealthDataModule
from datamodules.records import HealthRecord
from datamodules.transforms.base import Prepared

NUM_LAST = 4  # the last readings: what a forecast leans on
NUM_LAST_SLOW = 96  # of streams slower than one a minute: a day of glucose, all of a table of days
SLOW_HZ = 1 / 60


class Table(NamedTuple):
    """``values`` (B, F), NaN where a record lacks a modality; the first ``num_hand`` columns are no backbone's."""

    values: np.ndarray
    num_hand: int


def features(data: HealthDataModule, records: list[HealthRecord]) -> Table:
    """Every configured modality side by side, what is made by hand first."""
    by_hand = [_block(data, name, records) for name in data.modalities if name not in data.featured]
    frozen = [_block(data, name, records) for name in data.modalities if name in data.featured]
    return Table(np.concatenate([*by_hand, *frozen], axis=1), sum(block.shape[1] for block in by_hand))


def _block(data: HealthDataModule, name: str, records: list[HealthRecord]) -> np.ndarray:
    rows = [data.preparation.scaled(name, record) for record in records]
    is_slow = getattr(data.modalities[name].prepare, "rate_hz", 1.0) < SLOW_HZ
    describe = _mean if name in data.featured else partial(_statistics, num_last=NUM_LAST_SLOW if is_slow else NUM_LAST)
    given = [None if row is None else describe(row) for row in rows]
    width = next((len(row) for row in given if row is not None), 0)
    return np.stack([np.full(width, np.nan) if row is None else row for row in given])


def _mean(stream: Prepared) -> np.ndarray:
    """(F,) of a frozen backbone's (T, F)."""
    return np.asarray(stream.values, np.float32)[stream.valid].mean(axis=0)


def _statistics(stream: Prepared, num_last: int) -> np.ndarray:
    """Mean, spread, 10th and 90th percentile, mean step and trend of every channel, the last reading and those before
    it as differences to it.
    """
    values = np.asarray(stream.values, np.float64)[stream.valid]
    steps = np.abs(np.diff(values, axis=0)).mean(axis=0) if len(values) > 1 else np.zeros(values.shape[1])
    half = max(1, len(values) // 2)
    trend = values[-half:].mean(axis=0) - values[:half].mean(axis=0)
    low, high = np.percentile(values, [10, 90], axis=0)
    last = np.full((num_last, values.shape[1]), np.nan)
    known = values[-num_last:]
    last[num_last - len(known) :] = known - known[-1]
    last[-1] = known[-1]
    return np.concatenate([values.mean(axis=0), values.std(axis=0), low, high, steps, trend, last.ravel()])
