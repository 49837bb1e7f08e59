"""Turn samples with real timestamps into a regular grid that says NaN where nothing was measured.

Policy: backward time is an error unless sorting is asked for; samples of one instant are averaged, and counted; what
lies in a gap longer than ``max_gap_s`` is not measured, never interpolated.
"""

# Shapes: T samples at any times, C channels, T' steps of the grid.

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from datamodules.transforms.derive import resample

JITTER = 0.1  # of a step: below it a sample is simply the grid's next one (clocks of wearables drift by about 1 %)
MAX_STEPS = 50_000_000  # 9 days at 64 Hz: a longer grid means that one timestamp is wrong


class BadTime(ValueError):
    """A sample's time is wrong; ``sample`` counts from 0, so that a reader can name the line."""

    def __init__(self, sample: int, message: str) -> None:
        super().__init__(f"sample {sample}: {message}")
        self.sample, self.message = sample, message


class Regular(NamedTuple):
    """``values`` (T', C) float64, NaN = not measured, step i at ``start_s`` + i / ``rate_hz``; then what was found."""

    values: np.ndarray
    rate_hz: float
    start_s: float
    num_duplicates: int
    num_backward: int
    num_gaps: int
    longest_gap_s: float


def to_regular(
    time_s: np.ndarray, values: np.ndarray, *, rate_hz: float | None, max_gap_s: float | None, is_sorting: bool
) -> Regular:
    """Put samples (T, C) taken at ``time_s`` (T,) on a grid.

    ``rate_hz``: of the result, anti-aliased where it is below the recording's own; None = the recording's own, from
    the median step. ``max_gap_s``: between two measurements further apart than this nothing is known; None = 1.5
    median steps, so that a single lost sample stays lost. ValueError names the sample (from 0) at fault.
    """
    time_s, values = np.asarray(time_s, np.float64), np.asarray(values, np.float64)
    if values.ndim != 2 or len(values) != len(time_s):
        raise ValueError(f"values have shape {values.shape}, expected ({len(time_s)} times, channels)")
    if rate_hz is not None and not (np.isfinite(rate_hz) and rate_hz > 0):
        raise ValueError(f"rate is {rate_hz} Hz, expected > 0")
    check_times(time_s, is_sorting=is_sorting)
    num_backward = int((np.diff(time_s) < 0).sum())
    order = np.argsort(time_s, kind="stable")
    instants, values = _average_duplicates(time_s[order], values[order])
    if len(instants) < 2:
        raise ValueError(f"{len(instants)} instant gives no rate, expected at least 2 different times")
    steps = np.diff(instants)
    step_s = float(np.median(steps))
    limit_s = 1.5 * step_s if max_gap_s is None else max_gap_s
    own_hz = 1 / step_s
    if np.abs(steps / step_s - 1).max() <= JITTER:  # even: the mean step is a better estimate of the rate
        own_hz = len(steps) / (instants[-1] - instants[0])
    grid = _on_grid(instants, values, own_hz, limit_s)
    wanted_hz = own_hz if rate_hz is None else rate_hz
    gaps = steps[steps > limit_s * (1 + 1e-9)]
    return Regular(
        values=resample(grid, own_hz, wanted_hz),
        rate_hz=wanted_hz,
        start_s=float(instants[0]),
        num_duplicates=len(time_s) - len(instants),
        num_backward=num_backward,
        num_gaps=len(gaps),
        longest_gap_s=float(gaps.max(initial=0.0)),
    )


def check_times(time_s: np.ndarray, *, is_sorting: bool) -> None:
    """Refuse times that are no times, or run backward unless they will be sorted."""
    unknown = ~np.isfinite(time_s)
    if unknown.any():
        at = int(unknown.argmax())
        raise BadTime(at, f"its time is {time_s[at]}, expected seconds")
    backward = np.diff(time_s) < 0
    if backward.any() and not is_sorting:
        at = int(backward.argmax()) + 1
        raise BadTime(
            at,
            f"time runs backward, {time_s[at]:.10g} s after {time_s[at - 1]:.10g} s ({int(backward.sum())} such "
            f"steps); correct the clock, or set is_sorting: true if the order of lines has no meaning",
        )


def _average_duplicates(time_s: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row an instant: the mean of what was measured then."""
    instants, first = np.unique(time_s, return_index=True)
    if len(instants) == len(time_s):
        return instants, values
    measured = np.isfinite(values)
    total = np.add.reduceat(np.where(measured, values, 0.0), first)
    count = np.add.reduceat(measured.astype(np.int64), first)
    return instants, np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _on_grid(time_s: np.ndarray, values: np.ndarray, rate_hz: float, limit_s: float) -> np.ndarray:
    """(T, C) at increasing times -> (T', C): linear between measurements at most ``limit_s`` apart, else NaN."""
    num_steps = round((time_s[-1] - time_s[0]) * rate_hz) + 1
    if num_steps > MAX_STEPS:
        raise ValueError(
            f"times span {time_s[-1] - time_s[0]:.0f} s, {num_steps} steps at {rate_hz:g} Hz, expected at most "
            f"{MAX_STEPS}; one timestamp is probably wrong"
        )
    grid_s = time_s[0] + np.arange(num_steps) / rate_hz
    return np.stack([_between(grid_s, time_s, column, limit_s, JITTER / rate_hz) for column in values.T], axis=1)


def _between(
    grid_s: np.ndarray, time_s: np.ndarray, column: np.ndarray, limit_s: float, near_s: float
) -> np.ndarray:  # fmt: skip
    measured = np.isfinite(column)
    if not measured.any():
        return np.full(len(grid_s), np.nan)
    at_s, known = time_s[measured], column[measured]
    right = np.searchsorted(at_s, grid_s).clip(max=len(at_s) - 1)
    left = (right - 1).clip(min=0)
    distance = np.minimum(np.abs(grid_s - at_s[left]), np.abs(grid_s - at_s[right]))
    is_inside = (at_s[left] <= grid_s) & (grid_s <= at_s[right]) & (at_s[right] - at_s[left] <= limit_s * (1 + 1e-9))
    line = np.interp(grid_s, at_s, known)
    nearest = np.where(np.abs(grid_s - at_s[left]) <= np.abs(grid_s - at_s[right]), known[left], known[right])
    return np.where(is_inside, line, np.where(distance <= near_s, nearest, np.nan))
