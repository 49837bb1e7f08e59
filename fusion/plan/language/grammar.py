"""Which texts are plans that one person's limits allow, section by section: for a decoder that can write no other.

The language is that of canonical texts without violations, lists in one order: foods, alerts (one a signal) and
evidence (one a finding) in the order of the schema, moves in that of exercises.yaml, exercise in any order, an activity
once. A decoder needs one way to say a plan; the schema itself takes lists in any order, as people write them.
Sections do not depend on each other, so each is worked out for its own part of the limits and shared by all whose part
is the same.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from typing import Any, get_args

from pydantic import ValidationError

from fusion.plan import schema
from fusion.plan.findings import FINDINGS
from fusion.plan.knowledge.exercises import MOVES
from fusion.plan.language.finite_language import END, NOTHING, Language, either, maybe, one_of, piece, some, then, word
from fusion.plan.language.text import NONE, TEMPLATES
from fusion.plan.language.tokenizer import EOS
from fusion.plan.rules.limits import Limits, Measured
from fusion.plan.schema import SECTIONS, most_items, numbers_of

NOTHING_SAID = word(f" {NONE}")
SEPARATOR = word(" ;")

_remembered = lru_cache(maxsize=4096)  # bounded: what was measured differs from record to record


@lru_cache(maxsize=4096)
def sections(limits: Limits) -> tuple[Language, ...]:
    """The languages of the sections, in their order; each ends with what opens the next, the last with <eos>.

    Raises ValueError where the limits leave nothing to say in a section.
    """
    opening = word(SECTIONS[0])
    made = []
    for name, following in zip(SECTIONS, [*SECTIONS[1:], None], strict=True):
        body = _body(name, limits)
        if body is NOTHING:
            raise ValueError(
                f"limits leave no text for {name!r}, got {limits.model_dump(exclude_defaults=True)}; "
                "fix fusion/plan/knowledge/safety.yaml"
            )
        made.append(then(opening, body, word(f"\n{following}") if following else piece(EOS)))
        opening = END
    return tuple(made)


def _body(section: str, limits: Limits) -> Language:
    """What may follow the name of a section."""
    if section == "goal":
        return _words(limits.goals)
    if section == "referral":
        return _words(limits.referrals)
    if limits.is_referral_only:
        return NOTHING_SAID
    if section == "exercise":
        return _exercise(limits.activities, limits.moves, limits.efforts, limits.gauges)
    if section == "diet":
        energy = limits.lowest_energy_kcal, limits.highest_energy_kcal
        protein = limits.lowest_protein_g_per_kg, limits.highest_protein_g_per_kg
        foods = limits.emphasise, limits.limit, limits.required_emphasise, limits.required_limit
        return _diet(energy, protein, *foods)
    if section == "sleep":
        hours = _numbers(schema.SleepHours)
        return either(NOTHING_SAID, _item(section, hours=hours, practice=_words(get_args(schema.SleepPractice))))
    if section == "stress":
        minutes = _numbers(schema.Minutes)
        return either(
            NOTHING_SAID, _item(section, practice=_words(get_args(schema.StressPractice)), minutes_a_day=minutes)
        )
    if section == "alerts":
        return _alerts(limits.required_alerts)
    return _because(limits.measured, limits.findings, limits.required_findings)


@_remembered
def _exercise(
    activities: tuple[str, ...], moves: tuple[str, ...], efforts: tuple[str, ...], gauges: tuple[str, ...]
) -> Language:
    one = {
        "times": _numbers(schema.TimesAWeek),
        "minutes": _numbers(schema.Minutes),
        "effort": _words(efforts),
        "gauge": _words(gauges),
        "moves": _list(_in_order(moves, MOVES), most=most_items(schema.Session, "moves")),
    }
    sessions = tuple(_item("exercise", activity=word(f" {name}"), **one) for name in activities)
    return either(
        NOTHING_SAID, some(sessions, most=most_items(schema.Plan, "exercise"), separator=SEPARATOR, is_ordered=False)
    )


@_remembered
def _diet(
    energy: tuple[int, int],
    protein: tuple[float, float],
    emphasise: tuple[str, ...],
    limit: tuple[str, ...],
    required_emphasise: tuple[str, ...],
    required_limit: tuple[str, ...],
) -> Language:
    foods = get_args(schema.Food)
    diet = _item(
        "diet",
        pattern=_words(get_args(schema.Pattern)),
        energy_change_kcal=_numbers(schema.EnergyChangeKcal, *energy),
        protein_g_per_kg=_numbers(schema.ProteinGPerKg, *protein),
        emphasise=_foods("emphasise", _in_order(emphasise, foods), required_emphasise),
        limit=_foods("limit", _in_order(limit, foods), required_limit),
    )
    return either(NOTHING_SAID, diet)


@_remembered
def _alerts(required: tuple[schema.Alert, ...]) -> Language:
    options, needed = [], []
    for signal in get_args(schema.Signal):
        own = {_alert(alert.model_dump()) for alert in required if alert.signal == signal}
        options += own or [_alert({"signal": signal})]
        needed += own
        if len(own) > 1:
            return NOTHING  # two alerts on one signal are more than a plan may say
    most = most_items(schema.Plan, "alerts")
    return _optional(some(tuple(options), most=most, needed=frozenset(needed), separator=SEPARATOR), needed)


def _alert(values: dict[str, Any]) -> Language:
    """Any alert with these values."""
    free = {
        "direction": _words(get_args(schema.Direction)),
        "value": _number(is_signed=False),
        "unit": _words(get_args(schema.Unit)),
        "action": _words(get_args(schema.Action)),
    }
    return _item("alerts", **free | {name: word(f" {_written(value)}") for name, value in values.items()})


@_remembered
def _because(measured: tuple[Measured, ...] | None, allowed: tuple[str, ...], required: tuple[str, ...]) -> Language:
    by_group = {group: [None] if measured is None else [m for m in measured if m.group == group] for group in FINDINGS}
    claims = {
        finding: either(*(_claim(group, finding, one) for one in by_group[group]))
        for group, findings in FINDINGS.items()
        for finding in findings
        if finding in allowed
    }
    needed = frozenset(claims.get(finding, NOTHING) for finding in required)
    most = most_items(schema.Plan, "because")
    return _optional(some(tuple(claims.values()), most=most, needed=needed, separator=SEPARATOR), required)


def _claim(group: str, finding: str, measured: Measured | None) -> Language:
    """What may be said of a finding: with the number and within the span that were measured, or (None) with any."""
    numbers = {"value": _number(is_signed=True), "unit": _words(get_args(schema.Unit))}
    longest_s = numbers_of(schema.SpanS)[-1]
    if measured is not None:
        longest_s = min(longest_s, measured.span_s or 0)
        try:
            claim = schema.Evidence(group=group, finding=finding, value=measured.value, unit=measured.unit)
        except ValidationError:  # a number that no plan can write, such as one of two decimals
            claim = schema.Evidence(group=group, finding=finding)
        has_number = claim.value is not None
        numbers = {name: word(f" {_written(getattr(claim, name))}") if has_number else NOTHING for name in numbers}
    names = {"group": word(f" {group}"), "finding": word(f" {finding}")}
    return _item("because", **names, last_s=_numbers(schema.SpanS, 0, longest_s), **numbers)


def _item(section: str, **fields: Language) -> Language:
    """An item as the templates of its section read, with a language for each field."""
    return either(
        *(
            then(*(fields[part[1:-1]] if part[0] == "{" else word(f" {part}") for part in template.split(" ")))
            for template in TEMPLATES[section]
        )
    )


def _foods(field: str, names: tuple[str, ...], needed: tuple[str, ...]) -> Language:
    return _optional(_list(names, most=most_items(schema.Diet, field), needed=needed), needed)


def _list(names: tuple[str, ...], *, most: int, needed: tuple[str, ...] = ()) -> Language:
    """Some of ``names`` in their order."""
    return some(tuple(word(f" {name}") for name in names), most=most, needed=frozenset(word(f" {n}") for n in needed))


def _optional(language: Language, needed: Collection[object]) -> Language:
    """With "none" for an empty list, unless something is needed in it."""
    return language if needed else either(NOTHING_SAID, language)


def _words(names: Iterable[str]) -> Language:
    return one_of(f" {name}" for name in names)


@cache
def _numbers(quantity: Any, lowest: float = -math.inf, highest: float = math.inf) -> Language:
    """The numbers of a bounded type of the schema from ``lowest`` to ``highest``, as plans write them."""
    return one_of(f" {_written(number)}" for number in numbers_of(quantity) if lowest <= number <= highest)


@cache
def _number(*, is_signed: bool) -> Language:
    """A schema.Number: at most one decimal; no leading and no closing zero, no -0."""
    digit, nonzero = one_of("0123456789"), one_of("123456789")
    decimal = then(word("."), nonzero)
    more = END
    for _ in range(schema.MOST_DIGITS - 1):
        more = maybe(then(digit, more))
    more = then(more, maybe(decimal))
    positive = then(one_of(f" {n}" for n in "123456789"), more)
    zero = then(word(" 0"), maybe(decimal))
    if not is_signed:
        return either(positive, zero)
    return either(positive, zero, then(word(" -"), either(then(nonzero, more), then(word("0"), decimal))))


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _in_order(names: tuple[str, ...], vocabulary: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in vocabulary if name in names)
