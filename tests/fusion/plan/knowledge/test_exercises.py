"""Moves: what a person lacks, cannot do or must not load is never chosen, and the table agrees with its source."""

import json
import os
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from fusion.plan.knowledge.exercises import MOVES, MOVES_BY_REGION, REGIONS_OF_ACTIVITY, Equipment, Level, choose_moves

HAVE, CAN = get_args(Equipment), get_args(Level)
SOURCE_EQUIPMENT = {"body only": "none", None: "none", "dumbbell": "dumbbells"} | dict.fromkeys(
    ("machine", "cable", "barbell"), "gym"
)


@pytest.mark.parametrize(("equipment", "level"), list(product(HAVE, CAN)))
def test_a_move_needs_no_more_than_the_person_has_can_and_may(equipment, level):
    for activity, injured in product(REGIONS_OF_ACTIVITY, [set(), {"back"}, {"knee"}, {"shoulder"}]):
        for name in choose_moves(activity, equipment=equipment, level=level, injured=injured):
            move = MOVES[name]
            assert HAVE.index(move.equipment) <= HAVE.index(equipment)
            assert CAN.index(move.level) <= CAN.index(level)
            assert injured.isdisjoint(move.loads)


def test_equipment_and_level_are_used_where_they_are_there():
    chosen = {means: choose_moves("strength_training", equipment=means[0], level=means[1], injured=set())
              for means in product(HAVE, ("beginner", "intermediate"))}  # fmt: skip
    assert len(set(chosen.values())) == len(chosen) and all(len(moves) == 2 for moves in chosen.values())


def test_strength_is_one_upper_and_one_lower_move_and_walking_is_its_own():
    upper, lower = choose_moves("strength_training", equipment="none", level="beginner", injured=set())
    assert upper in MOVES_BY_REGION["upper"] and lower in MOVES_BY_REGION["lower"]
    assert choose_moves("walking", equipment="gym", level="expert", injured=set()) == ()


@pytest.mark.skipif("HEALTH_DATA_DIR" not in os.environ, reason="HEALTH_DATA_DIR names no folder of public datasets")
def test_muscles_equipment_and_level_are_those_of_free_exercise_db():
    path = Path(os.environ["HEALTH_DATA_DIR"]) / "free_exercise_db" / "exercises.json"
    source = {entry["id"]: entry for entry in json.loads(path.read_text())}
    for name, move in MOVES.items():
        entry = source[name]
        expected = (tuple(entry["primaryMuscles"]), SOURCE_EQUIPMENT[entry["equipment"]], entry["level"])
        assert (move.muscles, move.equipment, move.level) == expected, name
