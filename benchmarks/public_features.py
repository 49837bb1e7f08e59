"""Hand statistics of signals and sounds and mean frozen features of texts and photos, one row a record."""

# Shapes: B records, T steps, C channels, F features.

from __future__ import annotations

import numpy as np

from datamodules.base import HealthDataModule
from datamodules.records import HealthRecord
from datamodules.transforms.base import Prepared

NUM_LAST = 4  # the last readings: what a forecast leans on


def features(data: HealthDataModule, records: list[HealthRecord]) -> np.ndarray:
    """(B, F) of every configured modality side by side, NaN where the record lacks it."""
    return np.concatenate([_block(data, name, records) for name in data.modalities], axis=1)


def _block(data: HealthDataModule, name: str, records: list[HealthRecord]) -> np.ndarray:
    rows = [data.lookup(name, record) for record in records]
    is_frozen = name in data.featured
    given = [None if row is None else _mean(row) if is_frozen else _statistics(row) for row in rows]
    width = next((len(row) for row in given if row is not None), 0)
    return np.stack([np.full(width, np.nan) if row is None else row for row in given])


def _mean(stream: Prepared) -> np.ndarray:
    """(F,) of a frozen backbone's (T, F)."""
    return np.asarray(stream.values, np.float32)[stream.valid].mean(axis=0)


def _statistics(stream: Prepared) -> np.ndarray:
    """Mean, spread, 10th and 90th percentile, mean step and trend of every channel, then the last readings."""
    values = np.asarray(stream.values, np.float64)[stream.valid]
    steps = np.abs(np.diff(values, axis=0)).mean(axis=0) if len(values) > 1 else np.zeros(values.shape[1])
    half = max(1, len(values) // 2)
    trend = values[-half:].mean(axis=0) - values[:half].mean(axis=0)
    low, high = np.percentile(values, [10, 90], axis=0)
    last = np.full((NUM_LAST, values.shape[1]), np.nan)
    last[-min(NUM_LAST, len(values)) :] = values[-NUM_LAST:]
    return np.concatenate([values.mean(axis=0), values.std(axis=0), low, high, steps, trend, last.ravel()])
