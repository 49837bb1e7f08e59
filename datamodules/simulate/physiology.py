"""Simulate a wrist wearable at rest or under stress: pulse, skin conductance, movement and skin temperature.

Directions of the stress response follow Giannakakis et al. 2019, "Review on psychological stress detection using
biosignals" (faster pulse, lower heart rate variability, more skin conductance responses, cooler fingers and wrist);
sizes and spreads are chosen so that people overlap on any one channel and hardly on all four.
"""

# Shapes: T time steps of the channel's own rate.

from __future__ import annotations

from typing import NamedTuple

import neurokit2 as nk
import numpy as np
from scipy.ndimage import gaussian_filter1d

RATES_HZ = {"ppg": 64, "eda": 4, "acc": 32, "temperature": 4}
UNITS = {"ppg": "a.u.", "eda": "uS", "acc": "g", "temperature": "degC"}


class Physiology(NamedTuple):
    """``signals``: (T, C) per source in UNITS at RATES_HZ, NaN = sensor off; ``heart_rate_bpm``: the mean simulated."""

    signals: dict[str, np.ndarray]
    heart_rate_bpm: float


def simulate_physiology(body: str, rng: np.random.Generator, *, window_s: float) -> Physiology:
    """``window_s`` seconds of all four channels of one person whose body is "rested" or "stressed"."""
    stress = {"rested": 0.0, "stressed": 1.0}[body]
    heart_rate_bpm = np.clip(rng.normal(64, 6), 50, 78) + stress * rng.normal(24, 5)
    values = {
        "ppg": _ppg(stress, heart_rate_bpm, rng, window_s),
        "eda": _eda(stress, rng, window_s),
        "acc": _acc(stress, rng, window_s),
        "temperature": _temperature(stress, rng, window_s),
    }
    signals = {name: _with_gap(x, RATES_HZ[name], rng) for name, x in values.items()}
    return Physiology(signals, float(heart_rate_bpm))


def _ppg(stress: float, heart_rate_bpm: float, rng: np.random.Generator, window_s: float) -> np.ndarray:
    """Pulse wave: less beat-to-beat variation and smaller pulses (vasoconstriction) under stress."""
    gain = rng.lognormal(0, 0.25) * (1 - 0.3 * stress)
    wave = nk.ppg_simulate(
        duration=int(np.ceil(window_s)) + 5,  # the simulator is flat after its last whole beat: cut that off
        sampling_rate=RATES_HZ["ppg"],
        heart_rate=heart_rate_bpm,
        frequency_modulation=rng.uniform(0.20, 0.35) - 0.15 * stress,
        ibi_randomness=rng.uniform(0.08, 0.14) - 0.06 * stress,
        motion_amplitude=0.1 + 0.1 * stress,
        powerline_amplitude=0,
        burst_number=0,
        burst_amplitude=0,
        random_state=_seed(rng),
    )
    return gain * wave[: round(window_s * RATES_HZ["ppg"]), None]


def _eda(stress: float, rng: np.random.Generator, window_s: float) -> np.ndarray:
    """Skin conductance: personal tonic level plus responses, about 2 a minute at rest and 9 under stress."""
    num_responses = rng.poisson((2 + 7 * stress) * window_s / 60)
    wave = nk.eda_simulate(
        duration=int(np.ceil(window_s)),
        sampling_rate=RATES_HZ["eda"],
        scr_number=num_responses,
        noise=0.01,
        drift=-0.01 + 0.02 * stress * rng.random(),
        random_state=_seed(rng),
    )
    tonic_us = rng.lognormal(np.log(2.0), 0.5) * (1 + 0.5 * stress)
    response_us = rng.lognormal(np.log(0.5), 0.3)
    return np.maximum(tonic_us + response_us * wave[: round(window_s * RATES_HZ["eda"]), None], 0.05)


def _acc(stress: float, rng: np.random.Generator, window_s: float) -> np.ndarray:
    """Acceleration: gravity in a personal wrist position, breathing, and fidgeting bursts, more under stress."""
    num = round(window_s * RATES_HZ["acc"])
    time_s = np.arange(num) / RATES_HZ["acc"]
    gravity = rng.normal(size=3)
    gravity /= np.linalg.norm(gravity)
    breathing = 0.005 * np.sin(2 * np.pi * rng.uniform(0.2, 0.3) * time_s + rng.uniform(0, 2 * np.pi))
    activity = np.full(num, 0.004)
    for _ in range(rng.poisson((3 + 9 * stress) * window_s / 60)):
        middle, width = rng.uniform(0, window_s), rng.uniform(0.3, 1.2)
        activity += rng.lognormal(np.log(0.08), 0.4) * np.exp(-0.5 * ((time_s - middle) / width) ** 2)
    fidgeting = gaussian_filter1d(rng.normal(size=(num, 3)), sigma=1.5, axis=0) * activity[:, None]
    return gravity + breathing[:, None] * gravity + fidgeting + rng.normal(0, 0.002, (num, 3))


def _temperature(stress: float, rng: np.random.Generator, window_s: float) -> np.ndarray:
    """Skin temperature: personal level, cooler and still falling under stress."""
    time_s = np.arange(round(window_s * RATES_HZ["temperature"])) / RATES_HZ["temperature"]
    level = rng.normal(33.6, 0.7) - stress * rng.normal(1.2, 0.3)
    slope_per_s = (rng.normal(0, 0.1) - 0.3 * stress) / 60
    return (level + slope_per_s * time_s + rng.normal(0, 0.02, len(time_s)))[:, None]


def _with_gap(values: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """One recording in four loses contact for 1 to 6 s: NaN there."""
    has_gap, length_s, position = rng.random() < 0.25, rng.uniform(1, 6), rng.random()
    if has_gap:
        start, num = int(position * len(values)), round(length_s * rate_hz)
        values[start : start + num] = np.nan
    return values


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
