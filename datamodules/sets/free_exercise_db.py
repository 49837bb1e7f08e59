"""Read the Free Exercise DB: 873 exercises with muscles, level, equipment and steps. Public domain (Unlicense).

Knowledge, not records: no training run reads it. Photos are not part of the copy at hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

LEVELS = ("beginner", "intermediate", "expert")


class Exercise(NamedTuple):
    """``category``: strength, stretching, cardio, ...; ``equipment`` "" where none is told."""

    name: str
    level: str
    category: str
    equipment: str
    muscles: tuple[str, ...]
    steps: tuple[str, ...]


def read_free_exercise_db(data_dir: Path) -> list[Exercise]:
    """Every exercise under ``data_dir``/free_exercise_db, in file order."""
    path = Path(data_dir) / "free_exercise_db" / "exercises.json"
    if not path.is_file():
        raise ValueError(f"free_exercise_db: no {path}; set paths.data_dir")
    return [_exercise(row) for row in json.loads(path.read_text(encoding="utf-8"))]


def _exercise(row: dict) -> Exercise:
    if row.get("level") not in LEVELS:
        raise ValueError(f"free_exercise_db: {row.get('name')!r} has level {row.get('level')!r}, expected {LEVELS}")
    muscles = (*row["primaryMuscles"], *row["secondaryMuscles"])
    return Exercise(
        row["name"], row["level"], row["category"], row["equipment"] or "", muscles, tuple(row["instructions"])
    )
