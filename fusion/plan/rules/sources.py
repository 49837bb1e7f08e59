"""Say who stands behind a plan: the cited entries of guidelines.yaml it follows, the rules of safety.yaml it keeps.

It works for any plan, whoever wrote it: an entry is named for a section only where the plan says the entry's own value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fusion.plan.knowledge.exercises import MOVES
from fusion.plan.rules.guidelines import GUIDELINES, STATES, spare_joints
from fusion.plan.rules.safety import RULES, SAFETY, check
from fusion.plan.schema import SECTIONS, Plan


class Source(NamedTuple):
    """``section`` of a plan ("safety": a rule, of all sections), what causes it, and who says so.

    ``cause``: a goal, state, food, finding, condition or activity, by its name in the yaml.
    """

    section: str
    cause: str
    citation: str


def sources(plan: Plan, state: str | None = None, conditions: Iterable[str] = ()) -> list[Source]:
    """What ``plan`` follows from, by section, for a person in ``state`` (None: not known) with ``conditions``.

    A plan cannot say whether a rule changed it, so every rule of ``conditions`` that it keeps is named, last.
    ValueError on an unknown state or condition.
    """
    if state not in (None, *STATES):
        raise ValueError(f"state {state!r} is unknown, expected None or one of {', '.join(STATES)}; fix the caller")
    conditions = set(conditions)
    broken = {violation.rule for violation in check(plan, conditions)}
    cited = [claim.finding for claim in plan.because]
    causes = {
        plan.goal: GUIDELINES.goals[plan.goal],
        **{name: GUIDELINES.states[name] for name in STATES if name == state},
        **{name: GUIDELINES.foods[name] for name in cited if name in GUIDELINES.foods},
        **{name: GUIDELINES.findings[name] for name in cited if name in GUIDELINES.findings},
        **{name: entry for name, entry in GUIDELINES.constraints.items() if name in conditions},
    }
    injured = {entry.joint for name, entry in GUIDELINES.constraints.items() if name in conditions and entry.joint}
    found = _followed(plan, causes, injured)
    for session in plan.exercise:  # an activity answers for its own session only
        alone = plan.model_copy(update={"exercise": (session,)})
        found += _followed(alone, {session.activity: GUIDELINES.activities[session.activity]}, injured)
    kept = [name for name in RULES if name in conditions - broken]
    rules = [Source("safety", name, SAFETY.sources[key]) for name in kept for key in RULES[name].cite]
    return list(dict.fromkeys([*sorted(found, key=lambda source: SECTIONS.index(source.section)), *rules]))


def _followed(plan: Plan, causes: Mapping[str, object], injured: set[str]) -> list[Source]:
    """Where the plan says a value that an entry cites a source for."""
    return [
        Source(section, cause, GUIDELINES.sources[key])
        for section, fields in _values_by_section(plan, injured).items()
        for field, planned in fields.items()
        for cause, entry in causes.items()
        for key in entry.cite.get(field, ())
        if any(value in planned for value in _as_tuple(getattr(entry, field)))
    ]


def _as_tuple(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _values_by_section(plan: Plan, injured: set[str]) -> dict[str, dict[str, Iterable]]:
    """What every section says, under the fields of the entries that can have put it there."""
    sessions, diet, stress = plan.exercise, plan.diet, plan.stress
    times = {(session.activity, session.times) for session in sessions}
    efforts = {session.effort for session in sessions}
    loaded = {joint for session in sessions for joint in GUIDELINES.activities[session.activity].loads}
    loaded |= {joint for session in sessions for move in session.moves for joint in MOVES[move].loads}
    values = {
        "exercise": {
            "sessions": [
                weekly for weekly in GUIDELINES.goals[plan.goal].sessions
                if (spare_joints(weekly.activity, injured), weekly.times) in times
            ],
            "minutes": {session.minutes for session in sessions},
            "effort": efforts,
            "hardest_effort": efforts,
            "gauge": {session.gauge for session in sessions},
            "joint": injured - loaded if sessions else (),
        },
        "alerts": {"alerts": plan.alerts},
        "referral": {"referral": (plan.referral,)},
    }  # fmt: skip
    if diet:
        values["diet"] = {
            "pattern": (diet.pattern,),
            "energy_change_kcal": (diet.energy_change_kcal,),
            "lowest_energy_kcal": (diet.energy_change_kcal,),
            "protein_g_per_kg": (diet.protein_g_per_kg,),
            "lowest_protein_g_per_kg": (diet.protein_g_per_kg,),
            "emphasise": diet.emphasise,
            "limit": diet.limit,
            "avoid": diet.limit,
        }
    if plan.sleep:
        values["sleep"] = {"sleep": (plan.sleep,)}
    if stress:
        values["stress"] = {"stress_practice": (stress.practice,), "stress_minutes": (stress.minutes_a_day,)}
    return values
