"""Render a plan for people to read. Nothing parses this: ``to_text`` is the form that machines share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

from fusion.plan.findings import NAMED_FOODS
from fusion.plan.knowledge.ranges import RANGES
from fusion.plan.rules.sources import Source
from fusion.plan.schema import Alert, Diet, Effort, Evidence, Plan, Session

DISCLAIMER = "Not medical advice."

# What an effort feels like on each gauge: ACSM 2011 (Garber et al., Med Sci Sports Exerc 2011;43:1334, table 2).
EFFORT_TEXTS = {
    **{
        (effort, "hr_zone"): f"{effort}, {zone.low:g}-{zone.high:g} % of maximum heart rate"
        for effort in get_args(Effort)
        for zone in [RANGES[f"{effort}_heart_rate"]]
    },
    ("light", "rpe"): "light, 9-11 on the 6-20 exertion scale",
    ("moderate", "rpe"): "moderate, 12-13 on the 6-20 exertion scale",
    ("vigorous", "rpe"): "vigorous, 14-17 on the 6-20 exertion scale",
    ("light", "talk_test"): "light, singing is possible",
    ("moderate", "talk_test"): "moderate, talking is easy but singing is not",
    ("vigorous", "talk_test"): "vigorous, only a few words at a time",
}
REFERRAL_TEXTS = {
    "none": "no referral needed",
    "discuss_with_clinician": "discuss this plan with a clinician first",
    "seek_care_now": "seek medical care now",
    "crisis_support_now": "talk to a crisis line or emergency services now; you do not have to be alone with this",
}
LINE_NAMES = {"alerts": "watch", "referral": "clinician"}  # where the line is named otherwise than the section
TO_YEAR = re.compile(r"[^:]*?\b(?:19|20)\d\d(?:-\d{4})?\b|[^:]+")  # of a citation; all before its claim without one


def to_display(plan: Plan, follows: Iterable[Source] = ()) -> str:
    """Several readable lines, the last one always "Not medical advice."; ``follows``: of fusion.plan.rules.sources."""
    lines = {
        "Goal": [_spaced(plan.goal)],
        "Exercise": [_session(session) for session in plan.exercise] or ["rest"],
        "Diet": _diet(plan.diet) if plan.diet else [],
        "Sleep": [f"{plan.sleep.hours:g} h a night, {_spaced(plan.sleep.practice)}"] if plan.sleep else [],
        "Stress": [f"{_spaced(plan.stress.practice)}, {plan.stress.minutes_a_day} min a day"] if plan.stress else [],
        "Watch": [_alert(alert) for alert in plan.alerts] or ["nothing"],
        "Clinician": [REFERRAL_TEXTS[plan.referral]],
        "Because": [_evidence(evidence) for evidence in plan.because] or ["nothing was measured"],
        "Follows": _follows(follows),
    }
    rows = [f"{name if i == 0 else '':<10}{line}" for name, block in lines.items() for i, line in enumerate(block)]
    return "\n".join([*rows, DISCLAIMER])


def _session(session: Session) -> str:
    effort = EFFORT_TEXTS[session.effort, session.gauge]
    moves = f": {', '.join(map(_spaced, session.moves))}" if session.moves else ""
    return f"{_spaced(session.activity)}, {session.times} x {session.minutes} min a week ({effort}){moves}"


def _diet(diet: Diet) -> list[str]:
    return [
        f"{_spaced(diet.pattern)}, {_energy(diet.energy_change_kcal)}, protein {diet.protein_g_per_kg:g} g/kg a day",
        f"more {_foods(diet.emphasise)}; less {_foods(diet.limit)}",
    ]


def _energy(change_kcal: int) -> str:
    return f"{change_kcal:+d} kcal a day" if change_kcal else "energy as needed"


def _alert(alert: Alert) -> str:
    return f"{_spaced(alert.signal)} {alert.direction} {alert.value:g} {alert.unit}: {_spaced(alert.action)}"


def _evidence(evidence: Evidence) -> str:
    number = "" if evidence.value is None else f" ({evidence.value:g} {evidence.unit})"
    span = "" if evidence.last_s is None else f" in the last {evidence.last_s} s"
    named = " named" if evidence.finding in NAMED_FOODS else ""
    return f"{evidence.group}: {_spaced(evidence.finding)}{named}{number}{span}"


def _follows(follows: Iterable[Source]) -> list[str]:
    """One line a source: the sections it stands behind, its name, and why it applies."""
    by_source: dict[str, list[Source]] = {}
    for source in follows:
        by_source.setdefault(TO_YEAR.match(source.citation)[0], []).append(source)
    return [
        f"{_join(LINE_NAMES.get(s.section, s.section) for s in found)}: {name} ({_join(s.cause for s in found)})"
        for name, found in by_source.items()
    ]


def _join(words: Iterable[str]) -> str:
    """Each word once."""
    return ", ".join(map(_spaced, dict.fromkeys(words)))


def _foods(foods: tuple[str, ...]) -> str:
    return ", ".join(map(_spaced, foods)) or "of nothing in particular"


def _spaced(word: str) -> str:
    return word.replace("_", " ")
