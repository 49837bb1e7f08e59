"""What a plan is: typed sections over closed vocabularies, so that every plan can be written, read, checked and scored.

No rule spans two fields (except which finding belongs to which group), so the set of plans stays a regular language
that a decoder can be held to; whether a plan is *sensible* is the guidelines' business.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from fusion.plan.findings import FINDINGS, Group
from fusion.plan.knowledge.exercises import MOVES
from fusion.plan.knowledge.foods import Food

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

DEFAULT_GOAL: Goal = "maintain"  # of who names none, and of who may not have theirs: it asks for the least
HEART_RATE_STEP_BPM = 5  # evidence is rounded to it: finer is noise of a 60 s window
MOST_DIGITS = 4  # before the decimal point


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


MoveName = Annotated[str, AfterValidator(_known_move)]
Number = Annotated[float, Field(gt=-(10**MOST_DIGITS), lt=10**MOST_DIGITS), AfterValidator(_one_decimal)]
# Quantities: each bound of a plan stands here and nowhere else; ``numbers_of`` tells others what lies within.
TimesAWeek = Annotated[int, Field(ge=1, le=7)]
Minutes = Annotated[int, Field(ge=5, le=120, multiple_of=5)]
EnergyChangeKcal = Annotated[int, Field(ge=-1000, le=1000, multiple_of=50)]
ProteinGPerKg = Annotated[float, Field(ge=0.5, le=3), AfterValidator(_one_decimal)]
SleepHours = Annotated[float, Field(ge=5, le=12), AfterValidator(_half_hours)]
SpanS = Annotated[int, Field(ge=1, le=999)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Session(_Part):
    """``times`` a week, ``minutes`` each, at an ``effort`` steered by ``gauge``; ``moves``: what it is made of."""

    activity: Activity
    times: TimesAWeek
    minutes: Minutes
    effort: Effort
    gauge: Gauge
    moves: Annotated[tuple[MoveName, ...], Field(max_length=2)] = ()


class Diet(_Part):
    """Energy is kcal a day against what the person now spends; protein is g a day per kg of body mass."""

    pattern: Pattern
    energy_change_kcal: EnergyChangeKcal
    protein_g_per_kg: ProteinGPerKg
    emphasise: Annotated[tuple[Food, ...], Field(max_length=4)]
    limit: Annotated[tuple[Food, ...], Field(max_length=12)]


class Sleep(_Part):
    """Hours a night and one practice."""

    hours: SleepHours
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
    last_s: SpanS | None = None  # seconds before the moment of prediction

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


SECTIONS = tuple(Plan.model_fields)  # in the order of the lines of a plan's text


@cache
def numbers_of(quantity: Any) -> tuple[float, ...]:
    """Every number of a bounded type such as ``Minutes``, in rising order."""
    adapter = TypeAdapter(quantity)
    bounds = adapter.json_schema()
    per_unit = 1 if bounds["type"] == "integer" else 10  # plans write one decimal at most
    lowest, highest = round(bounds["minimum"] * per_unit), round(bounds["maximum"] * per_unit)
    candidates = range(lowest, highest + 1) if per_unit == 1 else [n / per_unit for n in range(lowest, highest + 1)]
    return tuple(number for number in candidates if _is_valid(adapter, number))


def most_items(part: type[BaseModel], field: str) -> int:
    """How many items a list of a plan may have, e.g. ``most_items(Plan, "alerts")``."""
    return next(rule.max_length for rule in part.model_fields[field].metadata if hasattr(rule, "max_length"))


def as_evidence(value: float, unit: str | None) -> float:
    """A measured number as a plan cites it: a heart rate in steps of HEART_RATE_STEP_BPM, others with one decimal."""
    step = HEART_RATE_STEP_BPM if unit == "bpm" else 0.1
    return round(step * round(value / step), 1)


def _is_valid(adapter: TypeAdapter, number: float) -> bool:
    try:
        adapter.validate_python(number)
    except ValidationError:
        return False
    return True
