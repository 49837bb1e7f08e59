"""Keep plans within what a person's conditions allow: the rules of safety.yaml as limits, a check and a repair.

A rule is a condition and what it does to ``Limits``. ``limits_of`` joins the rules of several conditions, ``check``
names every rule that a plan breaks, and repair.py changes as little as it takes to break none.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Literal, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fusion.plan.knowledge.exercises import MOVES, Joint
from fusion.plan.knowledge.loader import load_knowledge
from fusion.plan.rules.guidelines import CONSTRAINTS, GUIDELINES
from fusion.plan.rules.limits import NO_LIMITS, Limits
from fusion.plan.schema import Activity, Effort, Food, Gauge, Goal, MoveName, Plan, Referral

Severity = Literal["urgent", "serious", "caution"]
REFERRALS: tuple[Referral, ...] = get_args(Referral)


class _Typed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Forbid(_Typed):
    """Words that a plan may not use, by field of Limits."""

    goals: tuple[Goal, ...] = ()
    activities: tuple[Activity, ...] = ()
    moves: tuple[MoveName, ...] = ()
    efforts: tuple[Effort, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    emphasise: tuple[Food, ...] = ()


class Rule(_Typed):
    """One entry of safety.yaml."""

    condition: str
    severity: Severity
    spares: tuple[Joint, ...] = ()
    forbid: _Forbid = _Forbid()
    limits: Limits = NO_LIMITS
    referral: Referral = "none"
    cite: tuple[str, ...] = Field(min_length=1)
    why: str

    def to_limits(self) -> Limits:
        """What the rule leaves of all plans, the referral apart."""
        loading = {name for name, entry in GUIDELINES.activities.items() if set(self.spares) & set(entry.loads)}
        banned = {name: set(words) for name, words in self.forbid}
        banned["activities"] |= loading
        banned["moves"] |= {name for name, move in MOVES.items() if set(self.spares) & set(move.loads)}
        allowed = {name: tuple(w for w in getattr(NO_LIMITS, name) if w not in words) for name, words in banned.items()}
        return self.limits.both(Limits(**allowed))


class _Safety(_Typed):
    """safety.yaml, typed: a misspelt word, an unknown source or a constraint without a rule is an error at import."""

    rules: tuple[Rule, ...]
    sources: dict[str, str]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [rule.condition for rule in self.rules]
        cited = {key for rule in self.rules for key in rule.cite}
        if cited != set(self.sources):
            raise ValueError(f"sources {sorted(cited ^ set(self.sources))} are cited or listed, but not both")
        if len(names) != len(set(names)) or not set(CONSTRAINTS) <= set(names):
            raise ValueError(f"expected one rule a condition, and every one of {', '.join(CONSTRAINTS)}; got {names}")
        return self


SAFETY = load_knowledge("safety", _Safety)
RULES: dict[str, Rule] = {rule.condition: rule for rule in SAFETY.rules}
CONDITIONS = tuple(RULES)
_LIMITS = {name: rule.to_limits() for name, rule in RULES.items()}


class Violation(NamedTuple):
    """A rule that a plan breaks: what breaks it and who says so."""

    rule: str
    severity: Severity
    what: str
    citation: str


def limits_of(conditions: Iterable[str]) -> Limits:
    """What all rules of ``conditions`` leave of all plans; NO_LIMITS for none.

    ValueError names an unknown condition.
    """
    names = _in_order(conditions)
    return reduce(Limits.both, [_LIMITS[name] for name in names], _referral_limits(names))


def check(plan: Plan, conditions: Iterable[str]) -> list[Violation]:
    """Every rule that ``plan`` breaks, in the order of safety.yaml; [] exactly where limits_of has no violation."""
    names = _in_order(conditions)
    referral, most_urgent = _referral_limits(names), _most_urgent(names)
    is_crisis = any(_LIMITS[name].is_referral_only for name in names)
    broken = []
    for rule in (RULES[name] for name in names):
        limits = _LIMITS[rule.condition]
        if is_crisis and not limits.is_referral_only:  # a plan that only refers has no room for what other rules ask
            limits = Limits(goals=limits.goals)
        reasons = limits.violations(plan) + (referral.violations(plan) if rule.referral == most_urgent else [])
        citation = "; ".join(SAFETY.sources[key] for key in rule.cite)
        broken += [Violation(rule.condition, rule.severity, what, citation) for what in reasons]
    return broken


def _in_order(conditions: Iterable[str]) -> tuple[str, ...]:
    """``conditions`` in the order of safety.yaml, each once; ValueError names an unknown one."""
    conditions = set(conditions)
    if unknown := sorted(conditions - set(CONDITIONS)):
        raise ValueError(
            f"condition {', '.join(map(repr, unknown))} is unknown, expected some of {', '.join(CONDITIONS)}; "
            "add a cited rule to fusion/plan/knowledge/safety.yaml"
        )
    return tuple(name for name in CONDITIONS if name in conditions)


def _most_urgent(conditions: tuple[str, ...]) -> Referral:
    return max((RULES[name].referral for name in conditions), key=REFERRALS.index, default="none")


def _referral_limits(conditions: tuple[str, ...]) -> Limits:
    """The most urgent referral asked for, or more; but a crisis line only where the words call for one."""
    least = _most_urgent(conditions)
    if least == "none":
        return NO_LIMITS
    enough = REFERRALS[REFERRALS.index(least) :]
    return Limits(referrals=tuple(r for r in enough if r == least or r != "crisis_support_now"))
