"""Ordinary files of one person - csv, jpg, wav, text - as the parts of a record.

A recording is taken to end at the moment of prediction; photos and text to be of that moment.
"""

# Shapes: T samples, C channels.

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from datamodules.records import Clip, Note, Photo, Signal

TIME = "time_s"  # this column of a csv holds seconds, from any zero
NOT_MEASURED = ("", "nan", "na", "null")
RATE_TOLERANCE = 0.01  # a rate told and a rate read from time_s may differ by rounding, not by a setting
STEP_TOLERANCE = 0.5  # of a step: more jitter than this is a lost sample


def read_note(text: str) -> Note:
    """``text`` itself, or with @ in front the file that holds it."""
    if not text.startswith("@"):
        return Note(key="text", text=text)
    path = _existing(text[1:], "text")
    try:
        return Note(key=path.name, text=path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"text {path.name!r} is not UTF-8 text: {error}") from error


def read_photos(files: Sequence[str]) -> tuple[Photo, ...]:
    """Photos of one meal or several; decoded, and refused, by PreparePhoto."""
    return tuple(Photo(key=file, image=Path(file)) for file in files)


def read_clip(file: str) -> Clip:
    """A sound in wav, flac, ogg or mp3."""
    path = _existing(file, "sound")
    try:
        length_s = soundfile.info(path).duration
    except soundfile.LibsndfileError as error:
        raise ValueError(f"sound {path.name!r} cannot be read as wav, flac, ogg or mp3: {error}") from error
    return Clip(key=path.name, sound=path, rate_hz=None, start_s=-length_s)


def read_signal(file: str, *, rate_hz: float | None, unit: str, rest: Sequence[str] = ()) -> Signal:
    """A csv with or without a header, a column a channel, an empty or nan cell where nothing was measured.

    A column ``time_s`` gives the rate, or confirms ``rate_hz``. ``rest``: csv files of the same person and device at
    rest. ValueError names file and line.
    """
    values, rate_hz = _read_csv(_existing(file, "signal"), rate_hz)
    references = []
    for path in rest:
        reference, rest_hz = _read_csv(_existing(path, "rest signal"), rate_hz)
        references.append(reference)
        _check_rate(path, rest_hz, rate_hz)
    return Signal(
        key=file, values=values, rate_hz=rate_hz, unit=unit, start_s=-len(values) / rate_hz, reference=tuple(references)
    )


def _read_csv(path: Path, told_hz: float | None) -> tuple[np.ndarray, float]:
    """Values (T, C), NaN where not measured, and their rate."""
    if told_hz is not None and not (math.isfinite(told_hz) and told_hz > 0):
        raise ValueError(f"signal {path.name!r}: rate is {told_hz} Hz, expected > 0; say FILE:RATE_HZ")
    rows = _rows(path)
    names = [] if all(map(_is_number, rows[0])) else [cell.strip() for cell in rows.pop(0)]
    if not rows:
        raise ValueError(f"signal {path.name!r} has a header and no samples")
    first_line = 2 if names else 1
    values = np.array([_numbers(row, len(rows[0]), path, first_line + i) for i, row in enumerate(rows)])
    if names and len(names) != values.shape[1]:
        raise ValueError(f"signal {path.name!r}: header has {len(names)} columns, line 2 has {values.shape[1]}")
    if TIME not in names:
        if told_hz is None:
            raise ValueError(f"signal {path.name!r} has no rate; say FILE:RATE_HZ or give it a column {TIME}")
        return values, told_hz
    column = names.index(TIME)
    rate_hz = _rate_hz(values[:, column], path, first_line)
    if told_hz is not None:
        _check_rate(path.name, rate_hz, told_hz)
    return np.delete(values, column, axis=1), rate_hz


def _rows(path: Path) -> list[list[str]]:
    """Cells of every line; a blank line inside the file could be a lost sample and is an error."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"signal {path.name!r} is not a text csv: {error}") from error
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise ValueError(f"signal {path.name!r} is empty, expected a csv with a row a sample")
    if [] in rows:
        raise ValueError(
            f"signal {path.name!r}, line {rows.index([]) + 1}: blank; write nan where nothing was measured"
        )
    return rows


def _numbers(row: list[str], expected: int, path: Path, line: int) -> list[float]:
    if len(row) != expected:
        raise ValueError(
            f"signal {path.name!r}, line {line}: {len(row)} columns, expected {expected} as in the first row"
        )
    for cell in row:
        if not _is_number(cell):
            raise ValueError(
                f"signal {path.name!r}, line {line}: {cell!r} is not a number; leave it empty if not measured"
            )
    return [math.nan if _is_missing(cell) else float(cell) for cell in row]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return _is_missing(cell)
    return True


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in NOT_MEASURED


def _rate_hz(time_s: np.ndarray, path: Path, first_line: int) -> float:
    """Samples per second of an ordered, even time column."""
    if len(time_s) < 2:
        raise ValueError(f"signal {path.name!r}: one sample gives no rate, expected at least 2")
    steps = np.diff(time_s)
    usual = np.median(steps)
    for wrong, what in (
        (~np.isfinite(steps), "is not a time"),
        (steps <= 0, "is not after the line before"),
        (
            np.abs(steps - usual) > STEP_TOLERANCE * usual,
            f"is not {usual:g} s after the line before; fill gaps with nan",
        ),
    ):
        if wrong.any():
            row = int(wrong.argmax()) + 1
            raise ValueError(f"signal {path.name!r}, line {first_line + row}: {TIME} {time_s[row]:g} {what}")
    return float(len(steps) / (time_s[-1] - time_s[0]))


def _check_rate(file: str, got_hz: float, expected_hz: float) -> None:
    if abs(got_hz / expected_hz - 1) > RATE_TOLERANCE:
        raise ValueError(f"signal {file!r} runs at {got_hz:g} Hz by its {TIME}, but {expected_hz:g} Hz was said")


def _existing(file: str, kind: str) -> Path:
    path = Path(file)
    if not path.is_file():
        raise ValueError(f"{kind}: no file at {file!r}")
    return path
