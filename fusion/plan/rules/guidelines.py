"""Compose a plan from state, goal, findings and constraints, by the cited entries of guidelines.yaml.

Each slot depends on one or two causes:

    slot                      cause                              then, constraints win
    ------------------------  ---------------------------------  -------------------------------------------
    goal                      goal
    exercise activity, times  goal                               an injury replaces what loads the joint
    exercise minutes, effort  state (activity's ceiling)         pregnancy caps the effort
    exercise moves            activity, equipment, level         an injury spares the joint
    exercise gauge            activity                           beta blocker, pregnancy: no heart-rate zone
    diet pattern              state
    diet energy               goal, state's lowest               pregnancy: no deficit
    diet protein              goal                               pregnancy: a minimum
    diet emphasise            named food, goal, state, finding   allergies replace
    diet limit                state, finding, named food         allergies, pregnancy add
    sleep; stress practice    state
    stress minutes            goal
    alerts                    goal, finding                      beta blocker, insulin
    referral                  state, finding                     pregnancy
    because                   findings that change plans, named foods
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fusion.plan.facts import Facts, Finding
from fusion.plan.findings import FINDINGS, GROUPS, NAMED_FOODS, UNREMARKABLE
from fusion.plan.knowledge.exercises import Joint, choose_moves
from fusion.plan.knowledge.loader import load_knowledge
from fusion.plan.schema import (
    Activity,
    Alert,
    Diet,
    Effort,
    EnergyChangeKcal,
    Evidence,
    Food,
    Gauge,
    Goal,
    Minutes,
    Pattern,
    Plan,
    ProteinGPerKg,
    Referral,
    Session,
    Signal,
    Sleep,
    Stress,
    StressPractice,
    TimesAWeek,
    as_evidence,
    most_items,
    numbers_of,
)

MOST_NAMED = 4  # foods cited: the other findings of a record have room beside them
HARDEST_EFFORT: Effort = get_args(Effort)[-1]


class _Entry(BaseModel):
    """What any cause may add to a plan; ``cite``: field of the entry -> keys of who says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    emphasise: tuple[Food, ...] = ()
    limit: tuple[Food, ...] = ()
    alerts: tuple[Alert, ...] = ()
    referral: Referral = "none"
    cite: dict[str, tuple[str, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _cites_its_own(self) -> Self:
        if foreign := sorted(self.cite.keys() - type(self).model_fields):
            raise ValueError(f"cite names {foreign}, which the entry does not have; fix guidelines.yaml")
        return self


class _WeeklyActivity(BaseModel):
    activity: Activity
    times: TimesAWeek


class _GoalEntry(_Entry):
    sessions: tuple[_WeeklyActivity, ...]
    energy_change_kcal: EnergyChangeKcal
    protein_g_per_kg: ProteinGPerKg
    stress_minutes: Minutes


class _StateEntry(_Entry):
    minutes: Minutes
    effort: Effort
    pattern: Pattern
    lowest_energy_kcal: EnergyChangeKcal
    sleep: Sleep
    stress_practice: StressPractice


class _ConstraintEntry(_Entry):
    joint: Joint | None = None
    avoid: Food | None = None  # limited, and never emphasised
    replace: Food | None = None  # emphasised no more, beside `avoid`
    instead: Food | None = None
    gauge: Gauge | None = None
    hardest_effort: Effort = HARDEST_EFFORT
    lowest_energy_kcal: EnergyChangeKcal = numbers_of(EnergyChangeKcal)[0]
    lowest_protein_g_per_kg: ProteinGPerKg = numbers_of(ProteinGPerKg)[0]


class _ActivityEntry(_Entry):
    loads: tuple[Joint, ...] = ()
    instead: tuple[Activity, ...] = ()
    hardest_effort: Effort = HARDEST_EFFORT
    gauge: Gauge


class Guidelines(BaseModel):
    """guidelines.yaml, typed: a misspelt word in it is an error at import."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    goals: dict[Goal, _GoalEntry]
    states: dict[str, _StateEntry]
    findings: dict[str, _Entry]
    foods: dict[Food, _Entry]
    constraints: dict[str, _ConstraintEntry]
    activities: dict[Activity, _ActivityEntry]
    sources: dict[str, str]


GUIDELINES = load_knowledge("guidelines", Guidelines)
STATES, GOALS, CONSTRAINTS = tuple(GUIDELINES.states), tuple(GUIDELINES.goals), tuple(GUIDELINES.constraints)


def guideline(facts: Facts) -> Plan:
    """The plan that follows from ``facts``; the order of constraints and findings does not matter.

    Raises ValueError on an unknown state, goal, constraint or finding, listing what is known.
    """
    state = GUIDELINES.states[_check_known("state", facts.state, STATES)]
    goal = GUIDELINES.goals[_check_known("goal", facts.goal, GOALS)]
    names = [_check_known("constraint", name, CONSTRAINTS) for name in facts.constraints]
    constraints = [entry for name, entry in GUIDELINES.constraints.items() if name in names]
    foods = cited_foods(facts.named_foods)
    because = _because([*facts.findings, *(Finding(group="text", finding=food) for food in foods)])
    named = [GUIDELINES.foods[food] for food in foods]
    seen = [GUIDELINES.findings[e.finding] for e in because if e.finding in GUIDELINES.findings]

    return Plan(
        goal=facts.goal,
        exercise=tuple(_session(weekly, state, constraints, facts) for weekly in goal.sessions),
        diet=_diet(goal, state, seen, named, constraints),
        sleep=state.sleep,
        stress=Stress(practice=state.stress_practice, minutes_a_day=goal.stress_minutes),
        alerts=_alerts([goal, *seen], constraints),
        referral=max((e.referral for e in [state, *seen, *constraints]), key=get_args(Referral).index),
        because=because,
    )


def cited_foods(named: Iterable[str]) -> tuple[Food, ...]:
    """The foods of a text that change a plan, and that it is cited for."""
    named = set(named)
    return tuple(food for food in NAMED_FOODS if food in named)[:MOST_NAMED]


def spare_joints(activity: str, injured: set[str]) -> str:
    """``activity``, or the first of what is done instead that loads no ``injured`` joint."""
    options = (activity, *GUIDELINES.activities[activity].instead)
    return next(name for name in options if injured.isdisjoint(GUIDELINES.activities[name].loads))


def _check_known(kind: str, name: str, known: tuple[str, ...]) -> str:
    """``name`` itself, if it is one of the ``known``; else ValueError."""
    if name not in known:
        raise ValueError(
            f"{kind} {name!r} is unknown, expected one of {', '.join(known)}; "
            "fix the record's Facts or add a cited entry to fusion/plan/knowledge/guidelines.yaml"
        )
    return name


def _because(findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    """The findings that change plans, in the order of groups, with their numbers as plans cite them."""
    for f in findings:
        _check_known(f"{f.group} finding", f.finding, FINDINGS[f.group])
    ordered = sorted(findings, key=lambda f: (GROUPS.index(f.group), FINDINGS[f.group].index(f.finding)))
    return tuple(
        Evidence(
            group=f.group,
            finding=f.finding,
            value=None if f.value is None else as_evidence(f.value, f.unit),
            unit=f.unit,
            last_s=f.last_s,
        )
        for f in ordered
        if f.finding not in UNREMARKABLE
    )


def _session(weekly: _WeeklyActivity, state: _StateEntry, constraints: list[_ConstraintEntry], facts: Facts) -> Session:
    injured = {entry.joint for entry in constraints if entry.joint}
    activity = spare_joints(weekly.activity, injured)
    entry = GUIDELINES.activities[activity]
    efforts = [state.effort, entry.hardest_effort, *(c.hardest_effort for c in constraints)]
    gauges = [c.gauge for c in constraints if c.gauge] if entry.gauge == "hr_zone" else []
    return Session(
        activity=activity,
        times=weekly.times,
        minutes=state.minutes,
        effort=min(efforts, key=get_args(Effort).index),
        gauge=next(iter(gauges), entry.gauge),
        moves=choose_moves(activity, equipment=facts.equipment, level=facts.level, injured=injured),
    )


def _diet(
    goal: _GoalEntry,
    state: _StateEntry,
    seen: list[_Entry],
    named: list[_Entry],
    constraints: list[_ConstraintEntry],
) -> Diet:
    emphasise = [food for entry in (*named, goal, state, *seen) for food in entry.emphasise]
    limit = [food for entry in (state, *seen, *named, *constraints) for food in entry.limit]
    for entry in constraints:
        emphasise = [entry.instead if food in (entry.avoid, entry.replace) else food for food in emphasise]
        limit += [entry.avoid] if entry.avoid else []
    return Diet(
        pattern=state.pattern,
        energy_change_kcal=max(
            [goal.energy_change_kcal, state.lowest_energy_kcal, *(c.lowest_energy_kcal for c in constraints)]
        ),
        protein_g_per_kg=max([goal.protein_g_per_kg, *(c.lowest_protein_g_per_kg for c in constraints)]),
        emphasise=_in_order(list(dict.fromkeys(emphasise))[: most_items(Diet, "emphasise")]),
        limit=_in_order(limit),
    )


def _in_order(foods: Iterable[str | None]) -> tuple[str, ...]:
    """Each food once, in the order of the vocabulary (one order is one thing less to learn); None drops out."""
    return tuple(food for food in get_args(Food) if food in set(foods))


def _alerts(causes: list[_Entry], constraints: list[_ConstraintEntry]) -> tuple[Alert, ...]:
    """In the order of the vocabulary; a constraint's alert replaces any other on the same signal."""
    by_signal = {alert.signal: alert for entry in (*causes, *constraints) for alert in entry.alerts}
    return tuple(by_signal[name] for name in get_args(Signal) if name in by_signal)
