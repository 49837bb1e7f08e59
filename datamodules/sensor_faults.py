"""Find what a sensor wrote but did not measure: values stuck at its limit, and lines without any movement."""

# Shapes: T samples, C channels.

from __future__ import annotations

import numpy as np

MIN_CLIPPED = 3  # samples: a lone sample at the limit is a peak, three in a row are the converter's end


def clipped(values: np.ndarray, *, limits: tuple[float, float] | None) -> np.ndarray:
    """(T, C) bool: runs of ``MIN_CLIPPED`` or more samples at or beyond a limit of the sensor.

    ``limits``: the sensor's range in the unit of ``values``; None = the recording's own extremes, which finds true
    clipping and, in coarsely quantised channels, plateaus: use it to look, not to delete.
    """
    if limits is None:
        if not np.isfinite(values).any():
            return np.zeros(values.shape, bool)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    else:
        low, high = limits
    found = np.zeros(values.shape, bool)
    with np.errstate(invalid="ignore"):
        for at_end in (values <= low, values >= high):
            found |= at_end & (_run_lengths(at_end) >= MIN_CLIPPED)
    return found & (np.asarray(low) != np.asarray(high))  # a constant channel is flat, not clipped


def flat(values: np.ndarray, *, rate_hz: float, min_s: float) -> np.ndarray:
    """(T, C) bool: runs of one and the same value that last ``min_s`` or longer."""
    return _run_lengths(values) >= max(2, round(min_s * rate_hz))


def _run_lengths(values: np.ndarray) -> np.ndarray:
    """(T, C) ints: at every sample the length of the run of equal values it is in; NaN equals nothing."""
    lengths = np.zeros(values.shape, dtype=np.int64)
    for channel in range(values.shape[1]):
        column = values[:, channel]
        starts = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
        runs = np.diff(np.concatenate([starts, [len(column)]]))
        lengths[:, channel] = np.repeat(runs, runs)
    return lengths
