"""What a plan is: typed sections over closed vocabularies, so that every plan can be written, read, checked and scored.

No rule spans two fields (except which finding belongs to which group), so the set of plans stays a regular language
that a decoder can be held to; whether a plan is *sensible* is the guidelines' business.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fusion.plan.facts import Group
from fusion.plan.knowledge.exercises import MOVES

Goal = Literal["lose_weight", "gain_muscle", "recover", "sleep_better", "reduce_stress", "maintain"]
Activity = Literal[
    "walking",
    "running",
    "cycling",
    "swimming",
    "strength_training",
    "upper_body_strength",
    "lower_body_strength",
    "core_stability",
    "yoga",
    "stretching",
]
Effort = Literal["light", "moderate", "vigorous"]  # in rising order
Gauge = Literal["hr_zone", "rpe", "talk_test"]  # what the person steers the effort by
Pattern = Literal["mediterranean", "dash", "plate_method"]
Food = Literal[
    "vegetables",
    "fruit",
    "legumes",
    "whole_grains",
    "gluten_free_grains",
    "fish",
    "shellfish",
    "poultry",
    "nuts",
    "seeds",
    "eggs",
    "dairy",
    "fortified_soy",
    "sweets",
    "fried_food",
    "salt",
    "caffeine",
    "alcohol",
    "raw_fish",
    "gluten",
]
SleepPractice = Literal["regular_schedule", "wind_down", "screens_off", "earlier_bedtime", "fixed_wake_time"]
StressPractice = Literal[
    "nature_break", "slow_breathing", "mindfulness", "muscle_relaxation", "journaling", "mindful_eating"
]
Signal = Literal["resting_heart_rate", "glucose", "glucose_before_exercise", "sleep_duration", "systolic_pressure"]
Direction = Literal["above", "below"]
Unit = Literal["bpm", "mg/dL", "h", "mmHg"]
Action = Literal[
    "rest_and_recheck", "call_clinician", "eat_fast_carbs", "eat_and_carry_carbs", "earlier_bedtime", "call_emergency"
]
Referral = Literal["none", "discuss_with_clinician", "seek_care_now", "crisis_support_now"]  # in rising urgency

GROUPS: tuple[str, ...] = get_args(Group)
SENSED: dict[str, tuple[str, ...]] = {
    "text": ("stressed_words", "calm_words"),
    "signals": ("raised_arousal", "resting_arousal"),
    "photo": ("dessert", "heavy_meal", "lean_protein", "vegetable_meal"),
    "audio": ("distressed_voice", "calm_voice", "snoring", "other_sound"),
}
NAMED_FOODS: tuple[Food, ...] = ("sweets", "fried_food", "caffeine", "alcohol", "fruit", "vegetables")
FINDINGS = {**SENSED, "text": SENSED["text"] + NAMED_FOODS}  # a text is cited for the foods it names, too
# Findings that call for nothing: a plan does not cite them, so that `because` says what made the plan.
UNREMARKABLE = ("calm_words", "resting_arousal", "calm_voice", "other_sound")
MAX_SPAN_S = 999


def _one_decimal(value: float) -> float:
    if value != round(value, 1):
        raise ValueError(f"{value} has more than one decimal, which plans do not write; round it first")
    return value + 0.0  # -0.0 and 0.0 are one number, written one way


def _half_hours(value: float) -> float:
    if value * 2 != round(value * 2):
        raise ValueError(f"{value} h is not a whole or half hour")
    return value


def _known_move(name: str) -> str:
    if name not in MOVES:
        raise ValueError(f"move {name!r} is not in exercises.yaml")
    return name


Minutes = Annotated[int, Field(ge=5, le=120, multiple_of=5)]
MoveName = Annotated[str, AfterValidator(_known_move)]
Number = Annotated[float, Field(gt=-10_000, lt=10_000), AfterValidator(_one_decimal)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Session(_Part):
    """``times`` a week, ``minutes`` each, at an ``effort`` steered by ``gauge``; ``moves``: what it is made of."""

    activity: Activity
    times: Annotated[int, Field(ge=1, le=7)]
    minutes: Minutes
    effort: Effort
    gauge: Gauge
    moves: Annotated[tuple[MoveName, ...], Field(max_length=2)] = ()


class Diet(_Part):
    """Energy is kcal a day against what the person now spends; protein is g a day per kg of body mass."""

    pattern: Pattern
    energy_change_kcal: Annotated[int, Field(ge=-1000, le=1000, multiple_of=50)]
    protein_g_per_kg: Annotated[Number, Field(ge=0.5, le=3.0)]
    emphasise: Annotated[tuple[Food, ...], Field(max_length=4)]
    limit: Annotated[tuple[Food, ...], Field(max_length=12)]


class Sleep(_Part):
    """Hours a night and one practice."""

    hours: Annotated[float, Field(ge=5, le=12), AfterValidator(_half_hours)]
    practice: SleepPractice


class Stress(_Part):
    """One practice, every day."""

    practice: StressPractice
    minutes_a_day: Minutes


class Alert(_Part):
    """Do ``action`` when ``signal`` is above or below ``value`` (in ``unit``)."""

    signal: Signal
    direction: Direction
    value: Annotated[Number, Field(ge=0)]
    unit: Unit
    action: Action


class Evidence(_Part):
    """What one group of modalities showed, with the number that showed it and the time it looks back on, if any."""

    group: Group
    finding: str
    value: Number | None = None
    unit: Unit | None = None
    last_s: Annotated[int, Field(ge=1, le=MAX_SPAN_S)] | None = None  # seconds before the moment of prediction

    @model_validator(mode="after")
    def _is_known(self) -> Evidence:
        known = FINDINGS[self.group]
        if self.finding not in known:
            raise ValueError(f"{self.group} finding {self.finding!r} is unknown, expected one of {', '.join(known)}")
        if (self.value is None) != (self.unit is None):
            raise ValueError(f"{self.finding}: value {self.value} and unit {self.unit} must come together")
        return self


class Plan(_Part):
    """What a person should do next, and why. Not medical advice. In a crisis every section but the referral is None."""

    goal: Goal
    exercise: Annotated[tuple[Session, ...], Field(max_length=3)]
    diet: Diet | None
    sleep: Sleep | None
    stress: Stress | None
    alerts: Annotated[tuple[Alert, ...], Field(max_length=4)]
    referral: Referral
    because: Annotated[tuple[Evidence, ...], Field(max_length=8)]
