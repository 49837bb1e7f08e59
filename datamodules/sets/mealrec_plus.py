"""Read MealRec+ (Li et al., SIGIR 2024): which courses users of a recipe site liked, and how healthy they are.

Interactions, not records: no training run reads them. Users and courses are real (Allrecipes); meals and who liked them
are simulated by the authors. Licence: none given, published for research. People: 1,575 or 1,928 users by density.
Split: of user and meal, the authors' train, tune and test parts; user_meal_test is not at hand.
Faults: names, ingredients and dates of courses (course.csv, user_course.csv) are missing in the copy at hand.
"""

# Shapes: N interactions, C courses.

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

CATEGORIES = ("appetizer", "main", "dessert")  # numbers 0, 1, 2 of course_category.txt
DENSITIES = ("H", "L")
OTHER_PARTS = ("user_meal_tune", "user_meal_test")  # beside user_meal_train
NO_PAIRS = np.zeros((0, 2), int)


class MealRec(NamedTuple):
    """``user_course`` (N, 2) and ``user_meal``, ``meal_course`` alike: index pairs.

    ``user_meal`` is the official train part; ``user_meal_tune`` and ``user_meal_test`` are (0, 2) where not there.
    ``category`` (C,) index into CATEGORIES, -1 where not told; ``fsa``, ``who`` (C,): healthiness of every course.
    """

    user_course: np.ndarray
    user_meal: np.ndarray
    user_meal_tune: np.ndarray
    user_meal_test: np.ndarray
    meal_course: np.ndarray
    category: np.ndarray
    fsa: np.ndarray
    who: np.ndarray


def read_mealrec_plus(data_dir: Path, density: str) -> MealRec:
    """The dense ("H") or sparse ("L") set under ``data_dir``/mealrec_plus: every official part that is there."""
    if density not in DENSITIES:
        raise ValueError(f"mealrec_plus: density is {density!r}, expected one of {DENSITIES}")
    folder = Path(data_dir) / "mealrec_plus" / f"MealRec+{density}"
    fsa, who = (np.loadtxt(_existing(folder / "healthiness" / f"course_{kind}.txt")) for kind in ("fsa", "who"))
    category = np.full(len(fsa), -1)
    course, number = _pairs(folder, "course_category").T
    category[course] = number
    tune, test = (_pairs(folder, name) if _find(folder, name) else NO_PAIRS for name in OTHER_PARTS)
    return MealRec(
        _pairs(folder, "user_course_train", "user_course"), _pairs(folder, "user_meal_train"), tune, test,
        _pairs(folder, "meal_course"), category, fsa, who,
    )  # fmt: skip


def _pairs(folder: Path, *names: str) -> np.ndarray:
    """(N, 2) whole numbers of a plain or gzipped text, the first of ``names`` that is there."""
    path = _find(folder, *names) or _existing(folder / f"{names[0]}.txt")
    return pd.read_csv(path, sep="\t", header=None).to_numpy(int)


def _find(folder: Path, *names: str) -> Path | None:
    paths = [folder / f"{name}.txt{zipped}" for name in names for zipped in (".gz", "")]
    return next((path for path in paths if path.is_file()), None)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"mealrec_plus: no {path}; set paths.data_dir")
    return path
