"""Read a .ts file, the format of the UCR and UEA time-series archives: series and their class."""

# Shapes: T steps, C channels.

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np


def read_ts(path: Path) -> Iterator[tuple[np.ndarray, str]]:
    """(values (T, C), class) of every series of ``path``; "?" is NaN. ValueError names file and line."""
    if not path.is_file():
        raise ValueError(f"time series: no file {path}")
    is_data = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith(("#", "%")):
            continue
        if line.startswith("@"):
            key, *value = line.lower().split()
            if key == "@timestamps" and value == ["true"]:
                raise ValueError(f"{path.name}, line {number}: series with time stamps are not read")
            is_data = key == "@data"
        elif is_data:
            *channels, label = line.split(":")
            try:
                rows = [[np.nan if cell.strip() == "?" else float(cell) for cell in row.split(",")] for row in channels]
                yield np.array(rows, dtype=np.float32).T, label.strip()
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: not a series of numbers: {error}") from error
