"""What plain code knows of a record before any model reads it: what decoding and verifying hold a plan to."""

from __future__ import annotations

from typing import NamedTuple

from fusion.plan.exercises import REGIONS, choose_moves
from fusion.plan.extract import read_text
from fusion.plan.facts import Facts
from fusion.plan.foods import groups_in
from fusion.plan.guidelines import GUIDELINES
from fusion.plan.limits import Limits, Measured
from fusion.plan.safety import limits_of

_ENTRIES = [*GUIDELINES.states.values(), *GUIDELINES.findings.values(), *GUIDELINES.foods.values()]
LIMITABLE = tuple({food: None for entry in _ENTRIES for food in entry.limit})  # what some guideline limits in anybody
MOST_LIMITED = 12  # of fusion.plan.schema.Diet


class Known(NamedTuple):
    """``limits``: what the record's text and measurements allow, as read by code.

    ``conditions``: what its labels say is true of the person; None where they say nothing. For scoring only: no plan
    is ever written from it.
    """

    limits: Limits
    conditions: tuple[str, ...] | None = None


def known(text: str | None, measured: tuple[Measured, ...], facts: Facts | None = None) -> Known:
    """Read ``text`` (None = there is none) conservatively; what it leaves open counts as possible.

    Moves are those the guideline would choose for some activity: nobody who is silent on equipment or training is given
    any, and who has some is not sent back to push-ups.
    """
    said = read_text(text or "")
    means = {"equipment": said.equipment or "none", "level": said.level or "beginner"}
    entries = [GUIDELINES.constraints[name] for name in said.present if name in GUIDELINES.constraints]
    injured = {entry.joint for entry in entries if entry.joint}
    moves = tuple(move for activity in REGIONS for move in choose_moves(activity, injured=injured, **means))
    limits = limits_of(said.present)
    if not limits.is_referral_only:
        foods = [GUIDELINES.foods[food] for food in groups_in(text or "") if food in GUIDELINES.foods]
        room = MOST_LIMITED - len(limits.required_limit)  # what safety requires comes first
        limited = tuple(food for entry in foods for food in entry.limit)[:room]
        limitable = tuple(food for food in LIMITABLE if food not in limits.required_limit) + limits.required_limit
        praised = tuple(food for food in limits.emphasise if food not in limitable)  # no food is both
        known_limits = {"emphasise": praised, "limit": limitable, "required_limit": limited}
        limits = limits.both(Limits(moves=moves, measured=measured, **known_limits))
    return Known(limits, None if facts is None else facts.constraints)
