"""The moves behind an activity: which one fits a person's equipment, level and joints."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from fusion.plan.knowledge.loader import load_knowledge

Joint = Literal["knee", "back", "shoulder"]
Equipment = Literal["none", "dumbbells", "gym"]  # in rising order: who has one has all before it
Level = Literal["beginner", "intermediate", "expert"]  # in rising order
NO_EQUIPMENT, LOWEST_LEVEL = get_args(Equipment)[0], get_args(Level)[0]  # of who names none
Region = Literal["upper", "lower", "core", "stretch"]


class Move(BaseModel):
    """One entry of exercises.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    muscles: tuple[str, ...]
    equipment: Equipment
    level: Level
    loads: tuple[Joint, ...]


MOVES_BY_REGION = load_knowledge("exercises", dict[Region, dict[str, Move]])
MOVES: dict[str, Move] = {name: move for moves in MOVES_BY_REGION.values() for name, move in moves.items()}

# What a session of an activity is made of; an activity that is not here is its own move.
REGIONS_OF_ACTIVITY: dict[str, tuple[Region, ...]] = {
    "strength_training": ("upper", "lower"),
    "upper_body_strength": ("upper", "upper"),
    "lower_body_strength": ("lower", "lower"),
    "core_stability": ("core", "core"),
    "stretching": ("stretch", "stretch"),
}


def choose_moves(activity: str, *, equipment: Equipment, level: Level, injured: set[str]) -> tuple[str, ...]:
    """The hardest moves that a person can do with the best equipment they have, in the order of exercises.yaml.

    () where the activity is its own move or nothing is left that spares the ``injured`` joints.
    """
    chosen: list[str] = []
    for region in REGIONS_OF_ACTIVITY.get(activity, ()):
        options = moves_for(region, equipment=equipment, level=level, injured=injured)
        chosen += sorted((name for name in options if name not in chosen), key=hardness, reverse=True)[:1]
    return tuple(name for name in MOVES if name in chosen)


def moves_for(region: Region, *, equipment: Equipment, level: Level, injured: set[str]) -> list[str]:
    """Every move of a region that needs no more than the person has, can do and may load."""
    best, highest = get_args(Equipment).index(equipment), get_args(Level).index(level)
    return [
        name
        for name, move in MOVES_BY_REGION[region].items()
        if hardness(name)[0] <= best and hardness(name)[1] <= highest and injured.isdisjoint(move.loads)
    ]


def hardness(name: str) -> tuple[int, int]:
    """What a move needs, to be compared: its equipment, then its level."""
    move = MOVES[name]
    return get_args(Equipment).index(move.equipment), get_args(Level).index(move.level)
