"""Write a plan as canonical text and read it back: one line a section, one template an item, for both directions.

goal lose_weight
exercise walking 5 x 30 min moderate by hr_zone ; strength_training 2 x 30 min moderate by rpe with Pushups Leg_Press
diet dash energy -500 kcal protein 1.2 g/kg more vegetables less caffeine sweets
sleep 8 h wind_down
stress slow_breathing 10 min
alerts resting_heart_rate above 100 bpm rest_and_recheck
referral none
because signals raised_arousal 90 bpm last 60 s ; photo dessert
"""

from __future__ import annotations

import re
from functools import cache

from pydantic import BaseModel, ValidationError

from fusion.plan.schema import SECTIONS, Plan

# Section -> how one of its items reads, by the fields of its schema class. A section without a template is one word.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "exercise": (
        "{activity} {times} x {minutes} min {effort} by {gauge} with {moves}",
        "{activity} {times} x {minutes} min {effort} by {gauge}",
    ),
    "diet": (
        "{pattern} energy {energy_change_kcal} kcal protein {protein_g_per_kg} g/kg more {emphasise} less {limit}",
    ),
    "sleep": ("{hours} h {practice}",),
    "stress": ("{practice} {minutes_a_day} min",),
    "alerts": ("{signal} {direction} {value} {unit} {action}",),
    "because": (
        "{group} {finding} {value} {unit} last {last_s} s",
        "{group} {finding} {value} {unit}",
        "{group} {finding} last {last_s} s",
        "{group} {finding}",
    ),
}
NONE = "none"  # an empty list or section
_WORDS = ("emphasise", "limit", "moves")  # fields that hold several words
_OPTIONAL = ("value", "unit", "last_s", "moves")  # fields that a template may leave out
_LISTS = ("exercise", "alerts", "because")  # sections that hold several items


def to_text(plan: Plan) -> str:
    """The one canonical text of ``plan``; ``parse`` gives the same plan back."""
    return "\n".join(f"{section} {_write_section(section, getattr(plan, section))}" for section in SECTIONS)


def parse(text: str) -> Plan | list[str]:
    """Read canonical text: the plan, or every reason why it is not one. Never raises on any string."""
    lines = [line.partition(" ") for line in text.strip().split("\n")]
    sections = [section for section, _, _ in lines]
    if sections != list(SECTIONS):
        return [f"expected one line each for {', '.join(SECTIONS)} in this order, got {', '.join(sections)}"]
    errors: list[str] = []
    fields = {section: _read_section(section, body, errors) for section, _, body in lines}
    if errors:
        return errors
    try:
        plan = Plan.model_validate(fields)
    except ValidationError as error:
        return [f"{_where(e['loc'])}: {_input(e)}{e['msg']}" for e in error.errors()]
    if (canonical := to_text(plan)) != text.strip():
        changed = [(a, b) for a, b in zip(text.strip().split("\n"), canonical.split("\n"), strict=True) if a != b]
        return [f"not canonical: {got!r} should read {expected!r}" for got, expected in changed]
    return plan


def _write_section(section: str, value: object) -> str:
    if section in _LISTS:
        return " ; ".join(_write_item(section, item) for item in value) or NONE
    if value is None:
        return NONE
    return _write_item(section, value) if section in TEMPLATES else value


def _write_item(section: str, item: BaseModel) -> str:
    words = {name: _write_field(value) for name, value in item if value not in (None, ()) or name not in _OPTIONAL}
    template = next(t for t in TEMPLATES[section] if set(re.findall(r"{(\w+)}", t)) == set(words))
    return template.format(**words)


def _write_field(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value) or NONE
    return f"{value:g}" if isinstance(value, float) else str(value)


def _read_section(section: str, body: str, errors: list[str]) -> object:
    if section in _LISTS:
        return [] if body == NONE else [_read_item(section, item, errors) for item in body.split(" ; ")]
    if section not in TEMPLATES:
        return body
    return None if body == NONE else _read_item(section, body, errors)


def _read_item(section: str, item: str, errors: list[str]) -> dict[str, object] | None:
    for template in TEMPLATES[section]:
        if match := _pattern(template).fullmatch(item):
            return {name: _read_field(name, word) for name, word in match.groupdict().items()}
    errors.append(f"{section}: {item!r} does not read {' or '.join(map(repr, TEMPLATES[section]))}")
    return None


def _read_field(name: str, word: str) -> str | list[str]:
    if name in _WORDS:
        return [] if word == NONE else word.split(" ")
    return word


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{'.+' if m[1] in _WORDS else '[^ ]+'})", template))


def _where(loc: tuple[str | int, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)


def _input(error: dict) -> str:
    return f"{error['input']!r}: " if isinstance(error["input"], str) else ""
