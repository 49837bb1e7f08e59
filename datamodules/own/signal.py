"""Read one signal of a user's record: table, clock, faults, unit; problems are noted, not raised."""

# Shapes: T samples, C channels.

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from datamodules.own.problems import Problems
from datamodules.own.schema import SignalSpec
from datamodules.own.sensor_faults import FLAT_S, clipped, flat, look_clipped, look_flat
from datamodules.own.tables import Table, read_table
from datamodules.own.units import convert
from datamodules.timeline import BadTime, to_regular

RATE_TOLERANCE = 1.25  # a rate told this far above the recording's own would make samples up
COUNTED = "count"  # in a unit: counts and steps stand at 0 all night, which is no fault


class Samples(NamedTuple):
    """``values`` (T, C) float32, NaN = not measured; ``start_s`` on the file's own clock, None where it has none."""

    values: np.ndarray
    rate_hz: float
    start_s: float | None


def read_samples(path: Path, *, name: str, spec: SignalSpec, unit: str | None, problems: Problems) -> Samples | None:
    """The file as regular samples in ``unit`` (None = as declared); None after noting every problem."""
    if spec.unit is None:
        return problems.error(path, f"signal {name!r} has no unit; declare it in record.json or folder.json")
    table = read_table(path, columns=spec.columns, time_column=spec.time_column, problems=problems)
    if table is None:
        return None
    try:
        samples = _on_a_clock(path, table, spec, problems)
        if samples is None:
            return None
        _look(path, table, spec, problems)
        values = _without_faults(path, samples, spec, problems)
        values = _in_unit(values, name, spec.unit, unit)
    except BadTime as error:
        return problems.error(path, error.message, table.first_line + error.sample)
    except ValueError as error:
        return problems.error(path, error)
    never = ~np.isfinite(values).any(axis=0)
    if never.any():
        problems.warn(path, f"column {int(never.argmax())} was never measured; the signal counts as absent")
    return samples._replace(values=values.astype(np.float32))


def _on_a_clock(path: Path, table: Table, spec: SignalSpec, problems: Problems) -> Samples | None:
    if table.time_s is None:
        if spec.rate_hz is None:
            return problems.error(path, "has no rate; declare rate_hz, or give it a column time_s")
        return Samples(table.values, spec.rate_hz, spec.at)
    regular = to_regular(
        table.time_s, table.values, rate_hz=spec.rate_hz, max_gap_s=spec.max_gap_s, is_sorting=spec.is_sorting
    )
    own_hz = _own_hz(table.time_s)
    if regular.rate_hz > RATE_TOLERANCE * own_hz:
        return problems.error(path, f"rate_hz {regular.rate_hz:g} was declared, but its times run at {own_hz:.4g} Hz")
    if regular.num_duplicates:
        problems.warn(path, f"{regular.num_duplicates} samples share their time with another; averaged")
    if regular.num_backward:
        problems.warn(path, f"{regular.num_backward} steps of time run backward; sorted, as is_sorting says")
    if regular.num_gaps:
        problems.warn(path, f"{regular.num_gaps} gaps, the longest {regular.longest_gap_s:.4g} s; not measured there")
    return Samples(regular.values, regular.rate_hz, regular.start_s)


def _own_hz(time_s: np.ndarray) -> float:
    return 1 / float(np.median(np.diff(np.unique(time_s))))


def _in_unit(values: np.ndarray, name: str, unit: str, to: str | None) -> np.ndarray:
    """In the unit wanted; ValueError says where both are written."""
    try:
        return convert(values, unit, to or unit, of=name)
    except ValueError as error:
        read = f"; data.cohort.units says that the model reads {to!r}" if to else ""
        raise ValueError(f"{error} (signal {name!r} in record.json or folder.json{read})") from error


def _look(path: Path, table: Table, spec: SignalSpec, problems: Problems) -> None:
    """Warn of channels that look clipped or stuck, unless ``spec`` says already what to do with such samples."""
    if COUNTED in spec.unit:
        return
    rate_hz = spec.rate_hz if table.time_s is None else _own_hz(table.time_s)
    looks = {
        "limits": ("look clipped at its own ends", look_clipped(table.values)),
        "flat_s": (f"do not move (for {FLAT_S:g} s, or at all)", look_flat(table.values, rate_hz=rate_hz)),
    }
    for key, (what, shares) in looks.items():
        for channel in np.flatnonzero(shares) if getattr(spec, key) is None else ():
            problems.warn(
                path,
                f"{shares[channel]:.1%} of the samples of column {channel} {what}; look at them, and declare {key} "
                "if they were not measured",
            )


def _without_faults(path: Path, samples: Samples, spec: SignalSpec, problems: Problems) -> np.ndarray:
    """Values with NaN where the sensor was at its limits or stood still, as far as ``spec`` asks."""
    values = samples.values
    faults = []
    if spec.limits is not None:
        faults.append(("at the sensor's limits", clipped(samples.values, limits=spec.limits)))
    if spec.flat_s is not None:
        faults.append(("without any movement", flat(samples.values, rate_hz=samples.rate_hz, min_s=spec.flat_s)))
    for what, bad in faults:
        if bad.any():
            problems.warn(path, f"{bad.mean():.1%} of the samples are {what}; taken as not measured")
            values = np.where(bad, np.nan, values)
    return values
