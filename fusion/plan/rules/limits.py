"""What a plan may hold for one person: the whole language of plans, narrowed by what is known of them.

Safety rules give limits, a record gives limits; ``both`` of two is what satisfies each. ``violations`` reads a finished
plan against them and fusion/plan/language/grammar.py keeps a decoder inside them, so that both mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self, get_args

from pydantic import BaseModel, ConfigDict

from fusion.plan.findings import GROUP_OF_FINDING, Group
from fusion.plan.knowledge.exercises import MOVES
from fusion.plan.schema import (
    Activity,
    Alert,
    Effort,
    EnergyChangeKcal,
    Evidence,
    Food,
    Gauge,
    Goal,
    MoveName,
    Plan,
    ProteinGPerKg,
    Referral,
    numbers_of,
)

_ENERGY_KCAL, _PROTEIN_G_PER_KG = numbers_of(EnergyChangeKcal), numbers_of(ProteinGPerKg)


class Measured(BaseModel):
    """What one group of a record was measured to be: seconds it looks back on, and its number where it has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: Group
    span_s: int | None = None
    value: float | None = None
    unit: str | None = None


class Limits(BaseModel):
    """Fields name what is allowed, but ``required_*``, what must be; the default allows every plan of the schema.

    ``is_referral_only``: a plan holds its goal and its referral and nothing else. ``findings``: what `because` may
    claim, ``measured``: what it may rest on; None = anything.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    goals: tuple[Goal, ...] = get_args(Goal)
    activities: tuple[Activity, ...] = get_args(Activity)
    moves: tuple[MoveName, ...] = tuple(MOVES)
    efforts: tuple[Effort, ...] = get_args(Effort)
    gauges: tuple[Gauge, ...] = get_args(Gauge)
    lowest_energy_kcal: int = _ENERGY_KCAL[0]
    highest_energy_kcal: int = _ENERGY_KCAL[-1]
    lowest_protein_g_per_kg: float = _PROTEIN_G_PER_KG[0]
    highest_protein_g_per_kg: float = _PROTEIN_G_PER_KG[-1]
    emphasise: tuple[Food, ...] = get_args(Food)
    limit: tuple[Food, ...] = get_args(Food)
    required_emphasise: tuple[Food, ...] = ()
    required_limit: tuple[Food, ...] = ()
    required_alerts: tuple[Alert, ...] = ()
    referrals: tuple[Referral, ...] = get_args(Referral)
    is_referral_only: bool = False
    findings: tuple[str, ...] = tuple(GROUP_OF_FINDING)
    required_findings: tuple[str, ...] = ()
    measured: tuple[Measured, ...] | None = None

    def both(self, other: Limits) -> Self:
        """Limits that allow exactly the plans that both allow. ValueError where no goal or referral is left."""
        fields = {name: _both(name, value, getattr(other, name)) for name, value in self}
        if not (fields["goals"] and fields["referrals"]):
            raise ValueError(
                f"limits leave no plan: goals {self.goals} and {other.goals}, referrals {self.referrals} and "
                f"{other.referrals}; fix fusion/plan/knowledge/safety.yaml"
            )
        return type(self)(**fields)

    def violations(self, plan: Plan) -> list[str]:
        """Every reason why ``plan`` lies outside, naming the item; [] inside."""
        return [*_outside("goal", [plan.goal], self.goals), *self._sections(plan)]

    def _sections(self, plan: Plan) -> Iterator[str]:
        yield from _outside("referral", [plan.referral], self.referrals)
        if self.is_referral_only:
            filled = [name for name, value in plan if name not in ("goal", "referral") and value]
            yield from (f"{name} is said, where only a referral is allowed" for name in filled)
            return
        for session in plan.exercise:
            yield from _outside("activity", [session.activity], self.activities)
            yield from _outside("move", session.moves, self.moves)
            yield from _outside("effort", [session.effort], self.efforts)
            yield from _outside("gauge", [session.gauge], self.gauges)
        if plan.diet:
            yield from _beyond(
                "energy", plan.diet.energy_change_kcal, self.lowest_energy_kcal, self.highest_energy_kcal
            )
            yield from _beyond(
                "protein", plan.diet.protein_g_per_kg, self.lowest_protein_g_per_kg, self.highest_protein_g_per_kg
            )
            yield from _outside("emphasised food", plan.diet.emphasise, self.emphasise)
            yield from _outside("limited food", plan.diet.limit, self.limit)
            yield from _missing("limited", plan.diet.limit, self.required_limit)
            yield from _missing("emphasised", plan.diet.emphasise, self.required_emphasise)
        yield from (
            f"alert {a.signal} {a.direction} {a.value:g} is missing"
            for a in self.required_alerts
            if a not in plan.alerts
        )
        cited = [claim.finding for claim in plan.because]
        yield from _outside("finding", cited, self.findings)
        yield from _missing("cited", cited, self.required_findings)
        if self.measured is not None:
            yield from (f"nothing measured shows {e.group} {e.finding}" for e in plan.because if not self.supports(e))

    def supports(self, claim: Evidence) -> bool:
        """Whether a measurement has the claim's group, number, unit and span."""
        if self.measured is None:
            return True
        return any(
            m.group == claim.group
            and (claim.value is None or (claim.value, claim.unit) == (m.value, m.unit))
            and (claim.last_s is None or claim.last_s <= (m.span_s or 0))
            for m in self.measured
        )


NO_LIMITS = Limits()


def _both(name: str, mine: object, theirs: object) -> object:
    if name == "measured":
        return theirs if mine is None else mine if theirs is None else tuple(m for m in mine if m in theirs)
    if name.startswith("required"):
        return mine + tuple(item for item in theirs if item not in mine)
    if name.startswith(("lowest", "highest")):
        return (max if name.startswith("lowest") else min)(mine, theirs)
    if isinstance(mine, bool):
        return mine or theirs
    return tuple(item for item in mine if item in theirs)


def _outside(kind: str, items: Iterable[str], allowed: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{kind} {item} is not allowed" for item in items if item not in allowed)


def _missing(how: str, items: Iterable[str], required: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{item} is not {how}" for item in sorted(set(required) - set(items)))


def _beyond(kind: str, value: float, lowest: float, highest: float) -> Iterator[str]:
    if not lowest <= value <= highest:
        yield f"{kind} {value:g} is outside {lowest:g} to {highest:g}"
