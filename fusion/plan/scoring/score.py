"""Score plans by their slots: pure counts, added up over a whole set.

A slot is one typed statement of a plan, e.g. (exercise) "walking is done 5 times a week". Numbers must match exactly,
except heart rates in the evidence, which count within the step that evidence is rounded to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from fusion.plan.schema import (
    HEART_RATE_STEP_BPM,
    SECTIONS,
    Alert,
    Diet,
    Evidence,
    Plan,
    Session,
    Sleep,
    Stress,
)


class Counts(NamedTuple):
    """Slots predicted and in the reference, predicted only, and in the reference only."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def precision(self) -> float:
        return _share(self.tp, self.tp + self.fp, nothing_to_find=self.fn == 0)

    @property
    def recall(self) -> float:
        return _share(self.tp, self.tp + self.fn, nothing_to_find=self.fp == 0)

    @property
    def f1(self) -> float:
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn, nothing_to_find=True)


class PlanScore:
    """Parse rate, exact match and slot precision, recall and F1 of all plans added so far."""

    def __init__(self) -> None:
        self.num_plans = self.num_parsed = self.num_exact = 0
        self.sections = dict.fromkeys(SECTIONS, Counts())

    def add(self, predicted: Plan | list[str] | None, reference: Plan) -> None:
        """Count one plan. ``predicted`` is what ``parse`` gave: errors, like None, find no slot at all."""
        counts = slot_counts(predicted, reference)
        self.num_plans += 1
        self.num_parsed += isinstance(predicted, Plan)
        self.num_exact += all(c.fp == c.fn == 0 for c in counts.values())
        self.sections = {section: self.sections[section].plus(counts[section]) for section in SECTIONS}

    def compute(self) -> dict[str, float]:
        """Shares in 0..1: parse_rate, exact_match, slot_<precision, recall, f1> and the same _<section> by section.

        A section with nothing to find and nothing claimed in the whole set scores 1. ValueError before any ``add``.
        """
        if not self.num_plans:
            raise ValueError("PlanScore has seen no plan; add at least one, or leave plan metrics out of this split")
        total = Counts(*map(sum, zip(*self.sections.values(), strict=True)))
        return {
            "parse_rate": self.num_parsed / self.num_plans,
            "exact_match": self.num_exact / self.num_plans,
            **_scores(total, ""),
            **{k: v for section, counts in self.sections.items() for k, v in _scores(counts, f"_{section}").items()},
        }


def _scores(counts: Counts, of: str) -> dict[str, float]:
    return {f"slot_{name}{of}": getattr(counts, name) for name in ("precision", "recall", "f1")}


def slot_counts(predicted: Plan | list[str] | None, reference: Plan) -> dict[str, Counts]:
    """Section -> counts of one plan against its reference; every slot of the reference is missed without a plan."""
    expected = slots(reference)
    found = slots(_snap(predicted, reference)) if isinstance(predicted, Plan) else {s: Counter() for s in SECTIONS}
    hits = {section: (found[section] & expected[section]).total() for section in SECTIONS}
    return {s: Counts(hits[s], found[s].total() - hits[s], expected[s].total() - hits[s]) for s in SECTIONS}


def slots(plan: Plan) -> dict[str, Counter[tuple]]:
    """Section -> its slots, each as often as the plan says it."""
    return {section: Counter(_slots(getattr(plan, section))) for section in SECTIONS}


def _slots(section: object) -> Iterator[tuple]:
    """The slots of a word, of a part with fields, or of several items."""
    match section:
        case str(word):
            yield (word,)
        case tuple(items):
            for item in items:
                yield from _slots(item)
        case Session():
            yield (section.activity,)
            yield from ((section.activity, *slot) for slot in _fields(section) if slot[0] != "activity")
        case Alert():
            yield section.signal, section.direction
            yield section.signal, section.value, section.unit
            yield section.signal, section.action
        case Evidence():
            yield section.group, section.finding
            if section.value is not None:
                yield section.finding, section.value, section.unit
            if section.last_s is not None:
                yield section.finding, "last_s", section.last_s
        case Diet() | Sleep() | Stress():
            yield from _fields(section)


def _fields(part: BaseModel) -> Iterator[tuple]:
    """(name, value) of every field, once for each value of a list."""
    for name, value in part:
        yield from ((name, v) for v in (value if isinstance(value, tuple) else (value,)))


def _snap(predicted: Plan, reference: Plan) -> Plan:
    """``predicted`` with every heart rate in its evidence that is close enough set to the reference's own."""

    def snap(claim: Evidence) -> Evidence:
        for true in reference.because:
            is_same = (claim.group, claim.finding) == (true.group, true.finding) and claim.unit == true.unit == "bpm"
            if is_same and abs(claim.value - true.value) <= HEART_RATE_STEP_BPM:
                return true
        return claim

    return predicted.model_copy(update={"because": tuple(map(snap, predicted.because))})


def _share(part: int, whole: int, *, nothing_to_find: bool) -> float:
    return part / whole if whole else float(nothing_to_find)
