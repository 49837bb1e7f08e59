"""Find what a sensor wrote but did not measure: values stuck at its limit, and lines without any movement."""

# Shapes: T samples, C channels.

from __future__ import annotations

import numpy as np

MIN_CLIPPED = 3  # samples: a lone sample at the limit is a peak, three in a row are the converter's end
# What only looks like a fault is told, not deleted, and must not cry wolf. In an hour of Empatica E4 of 27 people each
# (stress_predict) the longest natural line is 4 s of skin conductance, 18 s of temperature (0.02 degC steps), 169 s of
# the acceleration of a still hand (1/64 g steps). 20 samples: 9 equal readings of glucose, every 15 min, are natural.
FLAT_S, FLAT_SAMPLES = 300.0, 20
# The peak of a coarse line is a plateau, too: in windows of a minute it held up to 55 % of the temperature. But a limit
# holds far more samples than any level between, and there are many between. So nothing there looks clipped, and of
# 10,686 days of glucose (shanghai_dm) the 27 at the meter's floor of 39.6 mg/dL do.
CLIPPED_SHARE, CLIPPED_TIMES, CLIPPED_LEVELS = 0.05, 5, 10


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


def look_clipped(values: np.ndarray) -> np.ndarray:
    """(C,) share of the samples at a channel's own ends where they pile up as at a sensor's limits; 0 elsewhere."""
    at_end, shares = clipped(values, limits=None), np.zeros(values.shape[1])
    for channel, column in enumerate(values.T):
        levels, counts = np.unique(column[np.isfinite(column)], return_counts=True)
        num = at_end[:, channel].sum()
        if len(levels) < CLIPPED_LEVELS + 2 or num < CLIPPED_SHARE * counts.sum():
            continue
        if max(counts[0], counts[-1]) >= CLIPPED_TIMES * counts[1:-1].max():
            shares[channel] = num / counts.sum()
    return shares


def look_flat(values: np.ndarray, *, rate_hz: float) -> np.ndarray:
    """(C,) share of the samples in lines of ``FLAT_S`` or longer, 1 where a channel never moves; 0 elsewhere."""
    num_known = np.isfinite(values).sum(axis=0)
    found = flat(values, rate_hz=rate_hz, min_s=max(FLAT_S, FLAT_SAMPLES / rate_hz)).sum(axis=0)
    never_moves = [len(np.unique(column[np.isfinite(column)])) == 1 for column in values.T]
    found = np.where(never_moves & (num_known >= FLAT_SAMPLES), num_known, found)
    return found / np.maximum(num_known, 1)


def _run_lengths(values: np.ndarray) -> np.ndarray:
    """(T, C) ints: at every sample the length of the run of equal values it is in; NaN equals nothing."""
    lengths = np.zeros(values.shape, dtype=np.int64)
    for channel in range(values.shape[1]):
        column = values[:, channel]
        starts = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
        runs = np.diff(np.concatenate([starts, [len(column)]]))
        lengths[:, channel] = np.repeat(runs, runs)
    return lengths
