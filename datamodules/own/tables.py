"""Read a user's signal tables, and look into photos and sounds to the last byte."""

# Shapes: T samples, C channels.

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import soundfile
from PIL import Image, UnidentifiedImageError

from datamodules.own.problems import Problems

TIME_COLUMNS = ("time_s", "time")  # seconds; seconds or ISO 8601
NOT_MEASURED = ("", "nan", "na", "null", "none")
TABLES, PHOTOS = (".csv", ".parquet"), (".jpg", ".jpeg", ".png")
SOUNDS, TEXTS = (".wav", ".flac", ".ogg", ".mp3"), (".txt",)
MAX_BAD_CELLS = 5  # said of one file; the rest is counted


class Table(NamedTuple):
    """``time_s`` (T,) or None where the file has no times; ``values`` (T, C); ``first_line``: that of sample 0."""

    time_s: np.ndarray | None
    values: np.ndarray
    first_line: int


def read_table(
    path: Path, *, columns: list[str] | None, time_column: str | None, problems: Problems
) -> Table | None:  # fmt: skip
    """A csv or parquet of samples; None after noting every problem with its line."""
    before = len(problems.errors)
    frame, first_line = (_csv if path.suffix.lower() == ".csv" else _parquet)(path, problems)
    if len(problems.errors) > before:
        return None
    time_column = time_column or next((name for name in TIME_COLUMNS if name in frame), None)
    wanted = columns or [name for name in frame if name != time_column]
    missing = [name for name in [*wanted, *([time_column] if time_column else [])] if name not in frame]
    if missing:
        return problems.error(path, f"no column {missing[0]!r}, it has {[str(name) for name in frame]}")
    if not wanted:
        return problems.error(path, f"no channel beside {time_column!r}")
    time_s = None if time_column is None else _times(frame[time_column])
    values = np.stack([_numbers(frame[name], path, first_line, problems) for name in wanted], axis=1)
    if time_s is not None and np.isnan(time_s).any():
        at = int(np.isnan(time_s).argmax())
        problems.error(path, f"{time_column} {frame[time_column].iloc[at]!r} is not a time", first_line + at)
    return None if len(problems.errors) > before else Table(time_s, values, first_line)


class SilentError(ValueError):
    """Every sample of a sound is 0."""


def check_photo(path: Path) -> None:
    """Decode a photo wholly; ValueError where it is cut short or no photo."""
    try:
        with Image.open(path) as image:
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"cannot be read as jpg or png: {error}") from error


def check_sound(path: Path) -> float:
    """Decode a sound wholly, give its seconds; ValueError where it is cut short or no sound, SilentError if all 0."""
    try:
        told = soundfile.info(path)
        samples, rate_hz = soundfile.read(path, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise ValueError(f"cannot be read as wav, flac, ogg or mp3: {error}") from error
    if not len(samples):
        raise ValueError("has no samples; it is empty or cut short")
    if len(samples) < told.frames or (told.format == "WAV" and _is_cut_wav(path)):
        raise ValueError(f"is cut short: {len(samples)} samples are left of what its header promises")
    if not np.any(samples):
        raise SilentError("is silent throughout (every sample is 0); leave it out of the record")
    return len(samples) / rate_hz


def _is_cut_wav(path: Path) -> bool:
    """Whether RIFF promises more bytes than there are; libsndfile reads such a file without a word."""
    head = path.read_bytes()[:8]
    return head[:4] == b"RIFF" and int.from_bytes(head[4:], "little") + 8 > path.stat().st_size + 1


def _csv(path: Path, problems: Problems) -> tuple[pd.DataFrame, int]:
    """Cells as text by column name (0, 1, ... without a header), and the line of the first sample."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        problems.error(path, f"is not a text csv: {error}")
        return pd.DataFrame(), 1
    while rows and not rows[-1]:
        rows.pop()
    names = [] if not rows or all(_is_number(cell) for cell in rows[0]) else [cell.strip() for cell in rows.pop(0)]
    first_line = 2 if names else 1
    if not rows:
        problems.error(path, "has no samples, expected a row a sample")
        return pd.DataFrame(), first_line
    names = names or list(range(len(rows[0])))
    for line, row in enumerate(rows, first_line):
        if len(row) != len(names):
            said = "blank; write nan where nothing was measured" if not row else f"{len(row)} columns"
            problems.error(path, f"{said}, expected {len(names)} columns", line)
            return pd.DataFrame(), first_line
    if len(set(names)) < len(names):
        problems.error(path, f"two columns have one name: {names}", 1)
    return pd.DataFrame(rows, columns=names), first_line


def _parquet(path: Path, problems: Problems) -> tuple[pd.DataFrame, int]:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are one or the other
        problems.error(path, f"is not a parquet table: {error}")
        return pd.DataFrame(), 1
    if not len(frame):
        problems.error(path, "has no samples, expected a row a sample")
    return frame, 1


def _numbers(column: pd.Series, path: Path, first_line: int, problems: Problems) -> np.ndarray:
    """(T,) float64, NaN where not measured; cells that are neither are noted."""
    try:
        values = column.to_numpy(dtype=np.float64)
    except (ValueError, TypeError):
        values = np.array([math.nan if _is_missing(cell) else _float(cell) for cell in column])
    bad = np.flatnonzero(np.isinf(values))
    for at in bad[:MAX_BAD_CELLS]:
        problems.error(
            path, f"{str(column.iloc[at])!r} is not a number; leave it empty if not measured", first_line + at
        )
    if len(bad) > MAX_BAD_CELLS:
        problems.error(path, f"{len(bad) - MAX_BAD_CELLS} more cells of column {column.name!r} are not numbers")
    return values


def _times(column: pd.Series) -> np.ndarray:
    """(T,) float64 seconds, NaN where a cell is no time."""
    seconds = pd.to_numeric(column, errors="coerce")
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or seconds.isna().all():
        moments = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
        return ((moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).to_numpy(np.float64)
    return seconds.to_numpy(np.float64)


def _float(cell: object) -> float:
    """inf stands for "no number": a measured infinity would be refused as well."""
    try:
        return float(cell)
    except (ValueError, TypeError):
        return math.inf


def _is_number(cell: str) -> bool:
    return _is_missing(cell) or math.isfinite(_float(cell))


def _is_missing(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell)) or str(cell).strip().lower() in NOT_MEASURED
