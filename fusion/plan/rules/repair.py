"""Make a plan safe by changing as little as it takes: swap or drop what limits forbid, add what they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from fusion.plan.findings import GROUP_OF_FINDING
from fusion.plan.knowledge.exercises import MOVES, MOVES_BY_REGION, REGIONS_OF_ACTIVITY, hardness, moves_for
from fusion.plan.rules.guidelines import GUIDELINES
from fusion.plan.rules.limits import Limits
from fusion.plan.rules.safety import limits_of
from fusion.plan.schema import (
    DEFAULT_GOAL,
    Alert,
    Diet,
    Effort,
    Evidence,
    Food,
    Gauge,
    Plan,
    Referral,
    Session,
    Signal,
    most_items,
)


def repair(plan: Plan, conditions: Iterable[str]) -> Plan:
    """The closest plan that breaks no rule of ``conditions``."""
    return repair_within(plan, limits_of(conditions))


def repair_within(plan: Plan, limits: Limits) -> Plan:
    """The closest plan inside ``limits``."""
    if not limits.violations(plan):
        return plan
    goal = _first((plan.goal, DEFAULT_GOAL, *limits.goals), limits.goals)
    referral = _referral(plan.referral, limits)
    if limits.is_referral_only:
        return Plan(
            goal=goal, exercise=(), diet=None, sleep=None, stress=None, alerts=(), referral=referral, because=()
        )
    return Plan(
        goal=goal,
        exercise=_sessions(plan.exercise, limits),
        diet=plan.diet and _diet(plan.diet, limits),
        sleep=plan.sleep,
        stress=plan.stress,
        alerts=_alerts(plan.alerts, limits.required_alerts),
        referral=referral,
        because=_because(plan.because, limits),
    )


def _sessions(sessions: Sequence[Session], limits: Limits) -> tuple[Session, ...]:
    kept: list[Session] = []
    for i, session in enumerate(sessions):
        taken = {s.activity for s in (*kept, *sessions[i + 1 :])}
        activity = _activity(session.activity, limits, taken)
        if activity is not None:
            kept.append(_session(session, activity, limits))
    return tuple(kept)


def _activity(planned: str, limits: Limits, taken: set[str]) -> str | None:
    """``planned`` if it is allowed, else the first allowed of what guidelines do instead; None: drop the session."""
    if planned in limits.activities:
        return planned
    options = [*GUIDELINES.activities[planned].instead, *limits.activities]
    return next((name for name in options if name in limits.activities and name not in taken), None)


def _session(session: Session, activity: str, limits: Limits) -> Session:
    entry, efforts = GUIDELINES.activities[activity], get_args(Effort)
    effort, gauge = session.effort, session.gauge
    if activity != session.activity:
        effort, gauge = min(effort, entry.hardest_effort, key=efforts.index), entry.gauge
    softer = efforts[: efforts.index(effort) + 1][::-1]
    return Session(
        activity=activity,
        times=session.times,
        minutes=session.minutes,
        effort=_first((*softer, *efforts), limits.efforts),
        gauge=_first((gauge, "rpe", *get_args(Gauge)), limits.gauges),
        moves=_moves(session, activity, limits),
    )


def _moves(session: Session, activity: str, limits: Limits) -> tuple[str, ...]:
    """Each move where it is allowed, else one of the same region that asks for no more; dropped where there is none."""
    regions = {name: region for region, moves in MOVES_BY_REGION.items() for name in moves}
    kept: list[str] = []
    for i, name in enumerate(session.moves):
        taken = {*kept, *session.moves[i + 1 :]}
        needs = {"equipment": MOVES[name].equipment, "level": MOVES[name].level}
        options = [name, *sorted(moves_for(regions[name], injured=set(), **needs), key=hardness, reverse=True)]
        if activity != session.activity:
            own = REGIONS_OF_ACTIVITY.get(activity, ())
            options = [move for region in own for move in moves_for(region, injured=set(), **needs)]
        kept += [m for m in options if m in limits.moves and m not in taken - {name}][:1]
    return tuple(kept)


def _diet(diet: Diet, limits: Limits) -> Diet:
    return Diet(
        pattern=diet.pattern,
        energy_change_kcal=min(max(diet.energy_change_kcal, limits.lowest_energy_kcal), limits.highest_energy_kcal),
        protein_g_per_kg=min(
            max(diet.protein_g_per_kg, limits.lowest_protein_g_per_kg), limits.highest_protein_g_per_kg
        ),
        emphasise=_emphasised(diet.emphasise, limits),
        limit=_limited(diet.limit, limits.required_limit),
    )


def _emphasised(foods: Sequence[Food], limits: Limits) -> tuple[Food, ...]:
    """Each food where it is allowed, else what the guidelines put in its place; dropped where that is forbidden too.

    All required ones are there; where they are too many, foods that nobody requires leave first.
    """
    if set(limits.required_emphasise) <= set(foods) <= set(limits.emphasise):
        return tuple(foods)
    constraints = GUIDELINES.constraints.values()
    instead = {food: c.instead for c in constraints for food in (c.avoid, c.replace) if food and c.instead}
    wanted = [food if food in limits.emphasise else instead.get(food) for food in foods]
    kept = [food for food in wanted if food in limits.emphasise and food not in limits.required_emphasise]
    kept = [*limits.required_emphasise, *kept][: most_items(Diet, "emphasise")]
    return tuple(food for food in get_args(Food) if food in kept)


def _limited(foods: Sequence[Food], required: Sequence[Food]) -> tuple[Food, ...]:
    """``foods`` and all ``required`` ones; where they are too many, foods that nobody requires leave first."""
    if set(required) <= set(foods):
        return tuple(foods)
    wanted = [*required, *(food for food in foods if food not in required)][: most_items(Diet, "limit")]
    return tuple(food for food in get_args(Food) if food in wanted)


def _alerts(alerts: Sequence[Alert], required: Sequence[Alert]) -> tuple[Alert, ...]:
    """``alerts`` with every ``required`` one in place of others on its signal, in the order of the vocabulary."""
    if all(alert in alerts for alert in required):
        return tuple(alerts)
    watched = {alert.signal for alert in required}
    wanted = [*required, *(alert for alert in alerts if alert.signal not in watched)][: most_items(Plan, "alerts")]
    return tuple(sorted(wanted, key=lambda alert: get_args(Signal).index(alert.signal)))


def _referral(planned: Referral, limits: Limits) -> Referral:
    """``planned``, else the next more urgent one that is allowed, else the least urgent."""
    levels = get_args(Referral)
    return _first((*levels[levels.index(planned) :], *levels), limits.referrals)


def _because(claims: Sequence[Evidence], limits: Limits) -> tuple[Evidence, ...]:
    """Claims that are allowed and borne out, and those that are required."""
    kept = [claim for claim in claims if claim.finding in limits.findings and limits.supports(claim)]
    cited = {claim.finding for claim in kept}
    missing = [name for name in limits.required_findings if name not in cited]
    if not missing:
        return tuple(kept)
    added = [Evidence(group=GROUP_OF_FINDING[name], finding=name) for name in missing]
    required = [claim for claim in kept if claim.finding in limits.required_findings]
    others = [claim for claim in kept if claim not in required]
    first = [*added, *required, *others][: most_items(Plan, "because")]
    return tuple(sorted(first, key=lambda claim: list(GROUP_OF_FINDING).index(claim.finding)))


def _first(options: Iterable[str], allowed: Sequence[str]) -> str:
    """The first of ``options`` that is allowed."""
    return next(option for option in options if option in allowed)
