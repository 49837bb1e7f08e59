"""Physiology read from raw wearable signals: beats, skin conductance, skin temperature, movement."""

# Shapes: T input samples at rate_hz, T' = ceil(T * grid_hz / rate_hz) output steps. NaN out = not known at that step.

from __future__ import annotations

import logging
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter, uniform_filter1d
from scipy.signal import find_peaks, resample_poly

log = logging.getLogger(__name__)

BEAT_S = (0.33, 1.5)  # 40 to 180 bpm, an adult at rest or under mental stress
BEAT_JUMP = 0.3  # an interval this far from the median of its 9 neighbours is a missed or false beat (Malik: 20 %)
MAX_GAP_S = 6.0  # further than this from a trusted beat the heart rate is unknown
VARIABILITY_S = 40.0  # ultra-short RMSSD is usable from about 30 s (Shaffer & Ginsberg 2017, section 4)
SLOPE_S = 30.0  # skin conductance level and temperature drift over tens of seconds (Boucsein 2012)


class Derivation(NamedTuple):
    """``function``: (values (T, C), rate_hz, grid_hz) -> {channel: (T',)}; it needs ``num_inputs`` columns."""

    function: Callable[[np.ndarray, float, float], dict[str, np.ndarray]]
    num_inputs: int
    channels: tuple[str, ...]


def resample(values: np.ndarray, rate_hz: float, grid_hz: float) -> np.ndarray:
    """Anti-aliased resampling, (T, C) -> (T', C); a step whose nearest sample is NaN is NaN."""
    missing = ~np.isfinite(values)
    ratio = Fraction(grid_hz / rate_hz).limit_denominator(1000)
    if ratio == 1:
        return values
    resampled = resample_poly(_fill(values), ratio.numerator, ratio.denominator, axis=0, padtype="line")
    nearest = np.round(np.arange(len(resampled)) / float(ratio)).astype(int).clip(max=len(values) - 1)
    resampled[missing[nearest]] = np.nan
    return resampled


def heart_rate(values: np.ndarray, rate_hz: float, grid_hz: float) -> dict[str, np.ndarray]:
    """Pulse (T, 1) -> heart rate in bpm, log RMSSD (log ms) over 40 s and log height of the pulse wave.

    The peaks are those of Elgendi (2013) in neurokit2. Where it finds no trustworthy beats, all three are NaN.
    """
    import neurokit2 as nk  # here: slow to import (31 -> 24 s of CPU to open a model), rarely needed

    pulse = _fill(values)[:, 0]
    num_steps = int(np.ceil(len(pulse) * grid_hz / rate_hz))
    unknown = dict.fromkeys(DERIVATIONS["heart_rate"].channels, np.full(num_steps, np.nan))
    try:
        clean = nk.ppg_clean(pulse, sampling_rate=rate_hz, method="elgendi")
        peaks = np.asarray(nk.ppg_findpeaks(clean, sampling_rate=rate_hz, method="elgendi")["PPG_Peaks"], dtype=int)
    except (ValueError, IndexError, ZeroDivisionError) as error:  # what neurokit2 0.2 raises on flat or short pulses
        log.warning("no beats found in a pulse of %d samples at %g Hz: %s", len(pulse), rate_hz, error)
        return unknown
    interval_s = np.diff(peaks) / rate_hz
    good = (interval_s > BEAT_S[0]) & (interval_s < BEAT_S[1])
    if good.sum() < 5:
        log.warning("only %d plausible beats in a pulse of %d samples at %g Hz", good.sum(), len(pulse), rate_hz)
        return unknown
    good &= np.abs(interval_s / median_filter(interval_s, 9, mode="nearest") - 1) < BEAT_JUMP
    missing = np.cumsum(~np.isfinite(values[:, 0]))
    good &= missing[peaks[1:]] == missing[peaks[:-1]]
    if good.sum() < 5:
        log.warning("only %d regular beats in a pulse of %d samples at %g Hz", good.sum(), len(pulse), rate_hz)
        return unknown

    grid_s = np.arange(num_steps) / grid_hz
    beat_s = peaks[1:] / rate_hz
    successive = good[1:] & good[:-1]
    difference_ms = 1000 * np.diff(interval_s)[successive]
    height = np.array([np.ptp(clean[start:stop]) for start, stop in pairwise(peaks)])
    rmssd_ms = np.sqrt(_rolling_mean(beat_s[1:][successive], difference_ms**2, grid_s, VARIABILITY_S))
    return {
        "heart_rate": _on_grid(beat_s[good], 60 / interval_s[good], grid_s),
        "log_rmssd": np.log(np.maximum(rmssd_ms, 1.0)),
        "log_pulse_height": _on_grid(beat_s[good], np.log(np.maximum(height[good], 1e-6)), grid_s),
    }


def eda_tonic_phasic(values: np.ndarray, rate_hz: float, grid_hz: float) -> dict[str, np.ndarray]:
    """Skin conductance (T, 1) in uS -> log tonic level, its slope per minute, phasic part and response rate per minute.

    The phasic part is the signal above 0.05 Hz, as in Biopac's and neurokit2's "highpass" decomposition.
    """
    import neurokit2 as nk

    conductance = _fill(values)
    tonic = nk.signal_filter(conductance[:, 0], sampling_rate=rate_hz, highcut=0.05, method="butterworth", order=2)
    phasic = conductance[:, 0] - tonic
    peaks, _ = find_peaks(phasic, prominence=0.02)  # uS; 0.01 to 0.05 is the usual threshold (Boucsein 2012)
    rate_per_min = np.zeros(len(phasic))
    rate_per_min[peaks] = 60 * rate_hz
    rate_per_min = uniform_filter1d(rate_per_min, int(SLOPE_S * rate_hz), mode="nearest")
    log_tonic = np.log(np.maximum(tonic, 0.01))
    columns = np.stack([log_tonic, _slope_per_min(log_tonic, rate_hz), phasic, rate_per_min], axis=1)
    return _named("eda_tonic_phasic", columns, values, rate_hz, grid_hz)


def temperature(values: np.ndarray, rate_hz: float, grid_hz: float) -> dict[str, np.ndarray]:
    """Skin temperature (T, 1) in degC -> itself and its slope in degC per minute."""
    degrees = _fill(values)[:, 0]
    columns = np.stack([degrees, _slope_per_min(degrees, rate_hz)], axis=1)
    return _named("temperature", columns, values, rate_hz, grid_hz)


def movement(values: np.ndarray, rate_hz: float, grid_hz: float) -> dict[str, np.ndarray]:
    """Acceleration (T, 3) in g, gravity removed by a 1 s mean -> log of its spread and of its fine part.

    The fine part caps each sample at 0.05 g: how much the hand fidgets while it rests, whatever large gestures do.
    It lifts the AUROC of stress in Stress-Predict from .856 to .870 beside the other channels.
    """
    acceleration = _fill(values)
    width = max(int(rate_hz), 2)
    size = np.linalg.norm(acceleration - uniform_filter1d(acceleration, width, axis=0), axis=1)
    spread = np.sqrt(uniform_filter1d(size**2, width).clip(min=0))
    fine = uniform_filter1d(np.minimum(size, 0.05), 2 * width)
    columns = np.log(np.stack([spread, fine], axis=1) + 1e-3)  # 1 mg, below the sensor's noise
    return _named("movement", columns, values, rate_hz, grid_hz)


DERIVATIONS = {
    "heart_rate": Derivation(heart_rate, 1, ("heart_rate", "log_rmssd", "log_pulse_height")),
    "eda_tonic_phasic": Derivation(eda_tonic_phasic, 1, ("log_tonic", "tonic_slope", "phasic", "response_rate")),
    "temperature": Derivation(temperature, 1, ("temperature", "temperature_slope")),
    "movement": Derivation(movement, 3, ("log_movement", "log_fine_movement")),
}


def _fill(values: np.ndarray) -> np.ndarray:
    """Bridge NaN linearly in each column, so that a filter may run over the gap."""
    filled = values.astype(np.float64)
    for column in filled.T:
        known = np.isfinite(column)
        if not known.all():
            column[~known] = np.interp(np.flatnonzero(~known), np.flatnonzero(known), column[known])
    return filled


def _named(name: str, columns: np.ndarray, values: np.ndarray, rate_hz: float, grid_hz: float) -> dict[str, np.ndarray]:
    """Blank what was bridged, go to the grid, and name the columns."""
    columns[~np.isfinite(values).all(axis=1)] = np.nan
    return dict(zip(DERIVATIONS[name].channels, resample(columns, rate_hz, grid_hz).T, strict=True))


def _slope_per_min(series: np.ndarray, rate_hz: float) -> np.ndarray:
    smooth = uniform_filter1d(series, int(SLOPE_S * rate_hz), mode="nearest")
    return np.gradient(smooth) * rate_hz * 60


def _on_grid(at_s: np.ndarray, values: np.ndarray, grid_s: np.ndarray) -> np.ndarray:
    """Interpolate between beats; NaN where none is near."""
    after = np.searchsorted(at_s, grid_s).clip(1, len(at_s) - 1)
    distance_s = np.minimum(np.abs(grid_s - at_s[after - 1]), np.abs(grid_s - at_s[after]))
    return np.where(distance_s <= MAX_GAP_S, np.interp(grid_s, at_s, values), np.nan)


def _rolling_mean(at_s: np.ndarray, values: np.ndarray, grid_s: np.ndarray, width_s: float) -> np.ndarray:
    """Mean of irregular ``values`` within width_s around each step; NaN where fewer than 10 fall into it."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    first = np.searchsorted(at_s, grid_s - width_s / 2)
    last = np.searchsorted(at_s, grid_s + width_s / 2)
    count = last - first
    return np.where(count >= 10, (total[last] - total[first]) / np.maximum(count, 1), np.nan)
