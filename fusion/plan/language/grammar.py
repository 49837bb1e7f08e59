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
from typing import Annotated, Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from fusion.plan import schema
from fusion.plan.knowledge.exercises import MOVES
from fusion.plan.language.language import END, NOTHING, Language, either, maybe, one_of, piece, some, then, word
from fusion.plan.language.text import NONE, TEMPLATES
from fusion.plan.language.tokenizer import EOS
from fusion.plan.rules.limits import Limits, Measured

SECTIONS = tuple(schema.Plan.model_fields)
NO = word(f" {NONE}")
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
        return NO
    if section == "exercise":
        return _exercise(limits.activities, limits.moves, limits.efforts, limits.gauges)
    if section == "diet":
        energy = limits.lowest_energy_kcal, limits.highest_energy_kcal
        protein = limits.lowest_protein_g_per_kg, limits.highest_protein_g_per_kg
        foods = limits.emphasise, limits.limit, limits.required_emphasise, limits.required_limit
        return _diet(energy, protein, *foods)
    if section == "sleep":
        hours = _numbers(schema.Sleep, "hours", [n / 2 for n in range(49)])
        return either(NO, _item(section, hours=hours, practice=_words(get_args(schema.SleepPractice))))
    if section == "stress":
        minutes = _numbers(schema.Stress, "minutes_a_day", range(24 * 60))
        return either(NO, _item(section, practice=_words(get_args(schema.StressPractice)), minutes_a_day=minutes))
    if section == "alerts":
        return _alerts(limits.required_alerts)
    return _because(limits.measured, limits.findings, limits.required_findings)


@_remembered
def _exercise(
    activities: tuple[str, ...], moves: tuple[str, ...], efforts: tuple[str, ...], gauges: tuple[str, ...]
) -> Language:
    one = {
        "times": _numbers(schema.Session, "times", range(24)),
        "minutes": _numbers(schema.Session, "minutes", range(24 * 60)),
        "effort": _words(efforts),
        "gauge": _words(gauges),
        "moves": _list(_in_order(moves, MOVES), most=_most(schema.Session, "moves")),
    }
    sessions = tuple(_item("exercise", activity=word(f" {name}"), **one) for name in activities)
    return either(NO, some(sessions, most=_most(schema.Plan, "exercise"), separator=SEPARATOR, is_ordered=False))


@_remembered
def _diet(
    energy: tuple[int, int],
    protein: tuple[float, float],
    emphasise: tuple[str, ...],
    limit: tuple[str, ...],
    praised: tuple[str, ...],
    avoided: tuple[str, ...],
) -> Language:
    """``praised`` and ``avoided`` must be said."""
    foods = get_args(schema.Food)
    diet = _item(
        "diet",
        pattern=_words(get_args(schema.Pattern)),
        energy_change_kcal=_numbers(schema.Diet, "energy_change_kcal", range(-2000, 2001), *energy),
        protein_g_per_kg=_numbers(schema.Diet, "protein_g_per_kg", [n / 10 for n in range(100)], *protein),
        emphasise=_foods("emphasise", _in_order(emphasise, foods), praised),
        limit=_foods("limit", _in_order(limit, foods), avoided),
    )
    return either(NO, diet)


@_remembered
def _alerts(required: tuple[schema.Alert, ...]) -> Language:
    options, needed = [], []
    for signal in get_args(schema.Signal):
        asked = {_alert(alert.model_dump()) for alert in required if alert.signal == signal}
        options += asked or [_alert({"signal": signal})]
        needed += asked
        if len(asked) > 1:
            return NOTHING  # two alerts on one signal are more than a plan may say
    most = _most(schema.Plan, "alerts")
    return _optional(some(tuple(options), most=most, needed=frozenset(needed), separator=SEPARATOR), needed)


def _alert(known: dict[str, Any]) -> Language:
    """Any alert with the values that are known."""
    free = {
        "direction": _words(get_args(schema.Direction)),
        "value": _number(is_signed=False),
        "unit": _words(get_args(schema.Unit)),
        "action": _words(get_args(schema.Action)),
    }
    return _item("alerts", **free | {name: word(f" {_shown(value)}") for name, value in known.items()})


@_remembered
def _because(measured: tuple[Measured, ...] | None, allowed: tuple[str, ...], required: tuple[str, ...]) -> Language:
    parts = (None,) if measured is None else measured
    claims = {
        finding: either(*(_claim(group, finding, part) for part in parts if part is None or part.group == group))
        for group, findings in schema.FINDINGS.items()
        for finding in findings
        if finding in allowed
    }
    needed = frozenset(claims.get(finding, NOTHING) for finding in required)
    most = _most(schema.Plan, "because")
    return _optional(some(tuple(claims.values()), most=most, needed=needed, separator=SEPARATOR), required)


def _claim(group: str, finding: str, part: Measured | None) -> Language:
    """What may be said of a finding: with the number and within the span that were measured, or with any."""
    numbers = {"value": _number(is_signed=True), "unit": _words(get_args(schema.Unit))}
    most_s = schema.MAX_SPAN_S
    if part is not None:
        most_s = min(most_s, part.span_s or 0)
        try:
            known = schema.Evidence(group=group, finding=finding, value=part.value, unit=part.unit)
        except ValidationError:  # a number that no plan can write, such as one of two decimals
            known = schema.Evidence(group=group, finding=finding)
        said = known.value is not None
        numbers = {name: word(f" {_shown(getattr(known, name))}") if said else NOTHING for name in numbers}
    said = {"group": word(f" {group}"), "finding": word(f" {finding}"), "last_s": _integers(most_s), **numbers}
    return _item("because", **said)


def _item(section: str, **fields: Language) -> Language:
    """An item as the templates of its section read, with a language for each field."""
    return either(
        *(
            then(*(fields[part[1:-1]] if part[0] == "{" else word(f" {part}") for part in template.split(" ")))
            for template in TEMPLATES[section]
        )
    )


def _foods(field: str, names: tuple[str, ...], needed: tuple[str, ...]) -> Language:
    return _optional(_list(names, most=_most(schema.Diet, field), needed=needed), needed)


def _list(names: tuple[str, ...], *, most: int, needed: tuple[str, ...] = ()) -> Language:
    """Some of ``names`` in their order."""
    return some(tuple(word(f" {name}") for name in names), most=most, needed=frozenset(word(f" {n}") for n in needed))


def _optional(language: Language, needed: Collection[object]) -> Language:
    """With "none" for an empty list, unless something is needed in it."""
    return language if needed else either(NO, language)


def _words(names: Iterable[str]) -> Language:
    return one_of(f" {name}" for name in names)


def _numbers(part: type[BaseModel], field: str, candidates: Iterable[float], *bounds: float) -> Language:
    """The candidates that the schema takes and that lie within the bounds, as plans write them."""
    lowest, highest = bounds or (-math.inf, math.inf)
    return one_of(f" {_shown(n)}" for n in _valid(part, field, tuple(candidates)) if lowest <= n <= highest)


@cache
def _valid(part: type[BaseModel], field: str, candidates: tuple[float, ...]) -> list[float]:
    info = part.model_fields[field]
    check = TypeAdapter(Annotated[info.annotation, *info.metadata])

    def is_valid(number: float) -> bool:
        try:
            check.validate_python(number)
        except ValidationError:
            return False
        return True

    return [number for number in candidates if is_valid(number)]


@cache
def _integers(most: int) -> Language:
    """1 to ``most``."""
    return one_of(f" {n}" for n in range(1, most + 1))


@cache
def _number(*, is_signed: bool) -> Language:
    """A schema.Number: up to four digits, then at most one decimal; no leading and no closing zero, no -0."""
    digit, nonzero = one_of("0123456789"), one_of("123456789")
    decimal = then(word("."), nonzero)
    more = then(maybe(then(digit, maybe(then(digit, maybe(digit))))), maybe(decimal))
    positive = then(one_of(f" {n}" for n in "123456789"), more)
    zero = then(word(" 0"), maybe(decimal))
    if not is_signed:
        return either(positive, zero)
    return either(positive, zero, then(word(" -"), either(then(nonzero, more), then(word("0"), decimal))))


def _most(part: type[BaseModel], field: str) -> int:
    """How many items the schema takes."""
    return next(rule.max_length for rule in part.model_fields[field].metadata if hasattr(rule, "max_length"))


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _in_order(names: tuple[str, ...], vocabulary: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in vocabulary if name in names)
