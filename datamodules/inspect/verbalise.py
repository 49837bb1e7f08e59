"""Say a signal in words, at three levels: its statistics, its structure, what its levels mean.

The text-only baseline of benchmarks/public_sets.py reads it. The same signal always gives the same words; no torch.
Meanings are datamodules/inspect/meanings.yaml, each with its source. Not medical advice.
"""

# Shapes: T samples, C channels.

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from datamodules.own.units import convert
from datamodules.records import Signal

LEVELS = ("statistics", "structure", "meaning")
MEANINGS = Path(__file__).with_name("meanings.yaml")
STEADY = 0.5  # standard deviations between the first and last third: less is no trend worth a word
PEAK = 2.0  # standard deviations of prominence; noise of 2 sd and more is rare
SMOOTH = 0.02  # of the length: peaks narrower than this are not named one by one


class Meaning(NamedTuple):
    """``signal`` was ``side`` (above, below) ``threshold`` for ``seconds``, a ``share`` of what was measured."""

    signal: str
    side: str
    threshold: float
    unit: str
    seconds: float
    share: float
    extreme: float
    meaning: str
    when: str
    source: str


def verbalise(signals: Mapping[str, Signal], *, level: str) -> str:
    """A line a channel. ``level`` "structure" says the statistics too, and "meaning" says all three.

    ``signals``: by name; the name and the unit decide which meanings apply. ValueError for an unknown level.
    """
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}, expected one of {LEVELS}")
    depth = LEVELS.index(level)
    lines = []
    for name, signal in signals.items():
        for channel, column in enumerate(signal.values.T):
            label = name if signal.values.shape[1] == 1 else f"{name} {channel}"
            known = np.isfinite(column)
            if not known.any():
                lines.append(f"{label}: nothing was measured.")
                continue
            said = [_statistics(signal, column, known)]
            if depth >= 1:
                said += _structure(signal, column, known)
            lines.append(f"{label} ({signal.unit}): {'; '.join(said)}.")
        if depth >= 2:
            lines += _meaning_lines(name, signal)
    return "\n".join(lines)


def find_meanings(name: str, signal: Signal) -> list[Meaning]:
    """What the levels of the first channel mean by meanings.yaml; [] where nothing is known of ``name``."""
    about = _meanings().get(name)
    if about is None:
        return []
    values = convert(signal.values[:, 0], signal.unit, about["unit"], of=name)
    known, step_s, found = np.isfinite(values), 1 / signal.rate_hz, []
    for band in about["bands"]:
        side = "above" if "above" in band else "below"
        beyond = known & (values > band[side] if side == "above" else values < band[side])
        seconds = step_s * sum(run for run in _runs(beyond) if run * step_s >= band["for_s"])
        if seconds > 0:
            extreme = values[beyond].max() if side == "above" else values[beyond].min()
            found.append(
                Meaning(
                    name, side, band[side], about["unit"], seconds, seconds / (known.sum() * step_s), float(extreme),
                    band["meaning"], band.get("when", ""), band["source"],
                )
            )  # fmt: skip
    return found


def _statistics(signal: Signal, column: np.ndarray, known: np.ndarray) -> str:
    values = column[known]
    low, middle, high = np.percentile(values, [5, 50, 95])
    return (
        f"{_time(len(column) / signal.rate_hz)} at {signal.rate_hz:.3g} Hz, {known.mean():.0%} measured, "
        f"mean {values.mean():.3g}, standard deviation {values.std():.2g}, median {middle:.3g}, "
        f"from {low:.3g} to {high:.3g} in nine of ten samples"
    )


def _structure(signal: Signal, column: np.ndarray, known: np.ndarray) -> list[str]:
    """Trend between the thirds, peaks of the smoothed line, gaps."""
    at, spread = np.flatnonzero(known), column[known].std()
    said = []
    first, last = (column[part] for part in (at[at < len(column) / 3], at[at >= 2 * len(column) / 3]))
    if len(first) and len(last):
        change = last.mean() - first.mean()
        if abs(change) > STEADY * spread:
            way = "rising" if change > 0 else "falling"
            said.append(f"{way} by {abs(change):.2g} from the first third to the last")
        else:
            said.append("steady from the first third to the last")
    width = max(1, round(SMOOTH * len(column)))
    line = uniform_filter1d(np.interp(np.arange(len(column)), at, column[at]), width)
    peaks, _ = find_peaks(line, prominence=PEAK * max(line.std(), 1e-12), distance=width)
    peaks = peaks[known[peaks]]
    if len(peaks):
        top = peaks[np.argmax(line[peaks])]
        before_s = -(signal.start_s + top / signal.rate_hz)
        count = "one peak, at" if len(peaks) == 1 else f"{len(peaks)} peaks, the highest at"
        said.append(f"{count} {line[top]:.3g} {_time(before_s)} before the end")
    gaps = _runs(~known)
    if gaps:
        said.append(f"{len(gaps)} gap{'s' * (len(gaps) > 1)}, the longest {_time(max(gaps) / signal.rate_hz)}")
    return said


def _meaning_lines(name: str, signal: Signal) -> list[str]:
    found, about = find_meanings(name, signal), _meanings().get(name)
    lines = [
        f"{m.signal} was {m.side} {m.threshold:g} {m.unit} for {_time(m.seconds)} ({m.share:.0%} of what was measured, "
        f"{'at most' if m.side == 'above' else 'at least'} {m.extreme:.4g}): {' '.join([m.meaning, m.when]).strip()} "
        f"[{m.source}]."
        for m in found
    ]
    if about and not found:
        low, high = about["within"]
        values = convert(signal.values[:, 0], signal.unit, about["unit"], of=name)
        known = values[np.isfinite(values)]
        if len(known):
            share = ((known >= low) & (known <= high)).mean()
            lines.append(f"{name} was within {low:g} to {high:g} {about['unit']} for {share:.0%} of what was measured.")
    return lines


def _runs(mask: np.ndarray) -> list[int]:
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return (edges[1::2] - edges[::2]).tolist()


def _time(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


@lru_cache(maxsize=1)
def _meanings() -> dict[str, dict]:
    return yaml.safe_load(MEANINGS.read_text())
