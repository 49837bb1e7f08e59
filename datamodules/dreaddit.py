"""Read Dreaddit (Turcan & McKeown 2019): segments of forum posts, stressed or not. Quote no text in public."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from datamodules.records import Note


class Post(NamedTuple):
    """``source``: the post that the segment is from; ``confidence``: share of annotators who agree, 0..1."""

    note: Note
    source: str
    is_stressed: bool
    confidence: float


def read_dreaddit(data_dir: Path) -> list[Post]:
    """Every segment of the official train part under ``data_dir``/dreaddit, in file order."""
    path = Path(data_dir) / "dreaddit" / "dreaddit-train.csv.gz"
    if not path.is_file():
        raise ValueError(f"dreaddit: no {path}; set paths.data_dir")
    return [
        Post(Note(key=f"dreaddit/{row.id}", text=row.text), row.post_id, bool(row.label), row.confidence)
        for row in pd.read_csv(path).itertuples()
    ]
