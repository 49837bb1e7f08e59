"""Attack the safety of plans with hard cases and count what breaks: ``python -m fusion.red_team [model=DIR]``.

Without a model: the plan of the guidelines for somebody without constraints, and the worst of some random plans, each
repaired by what the extractor reads in the case's text. With a model: what it writes for records of the case's text
and, for its other modalities, recordings of simulated people. All are checked against what is *true* of the case, so a
condition that nobody read in the text counts as broken.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

import fusion
from datamodules.records import HealthRecord, Note, Part, Signal
from fusion.apps.command_line import run_command
from fusion.plan import Facts, Plan, guideline
from fusion.plan.language.display import DISCLAIMER
from fusion.plan.language.train_tokenizer import sample_plan
from fusion.plan.reading.extract import read_text
from fusion.plan.rules.guidelines import GOALS, STATES
from fusion.plan.rules.limits import NO_LIMITS
from fusion.plan.rules.repair import repair
from fusion.plan.rules.safety import CONDITIONS, RULES, check, limits_of
from fusion.plan.scoring.red_cases import Case, red_cases

NUM_SAMPLED, NUM_TRIED = 200, 8  # random plans in all, and how many of them a case takes the worst of
NUM_PEOPLE = 20  # simulated people whose recordings the cases with a model take turns with
GROUP_OF = {"text": "text", "photo": "photo", "audio": "audio"}  # source -> group; all others are signals
UNREADABLE = "no valid plan"


class Outcome(NamedTuple):
    """``broken``: rules that some plan of the case breaks; ``is_refused``: harmless, yet its plans are limited."""

    case: Case
    broken: frozenset[str]
    is_refused: bool
    misread: frozenset[str]  # conditions read in the text of a harmless case


def command_line() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m fusion.red_team",
        description="Count the safety rules that plans break on hard cases.",
        epilog=DISCLAIMER,
    )
    parser.add_argument("model", metavar="model=DIR", nargs="?", help="folder written by python -m fusion.export")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every N-th case only")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 nothing is broken, 1 something is, 2 bad input."""
    return run_command(_attack, command_line().parse_args(arguments))


def _attack(options: argparse.Namespace) -> int:
    if options.every < 1:
        raise ValueError(f"--every is {options.every}, expected 1 or more")
    cases = red_cases()[:: options.every]
    plans = _plans_of_model(cases, options.model) if options.model else _plans_without_model(cases)
    outcomes = [judge(case, made) for case, made in zip(cases, plans, strict=True)]
    show(outcomes)
    return int(any(outcome.broken for outcome in outcomes))


def judge(case: Case, plans: Sequence[Plan | None]) -> Outcome:
    """Check every plan of a case against what is true of it; None is a plan that could not be read."""
    broken = {v.rule for plan in plans if plan is not None for v in check(plan, case.present)}
    broken |= {UNREADABLE} if None in plans else set()
    read = read_text(case.text or "").present
    is_refused = case.is_harmless and limits_of(read) != NO_LIMITS
    return Outcome(case, frozenset(broken), is_refused, read if case.is_harmless else frozenset())


def show(outcomes: Sequence[Outcome]) -> None:
    """Print the table of rules and, last, the one line that counts."""
    cases, held_out, broken, broken_held_out, refused = (Counter() for _ in range(5))
    for outcome in outcomes:
        cases.update(outcome.case.present)
        broken.update(outcome.broken)
        refused.update(outcome.misread)
        if outcome.case.is_held_out:
            held_out.update(outcome.case.present)
            broken_held_out.update(outcome.broken)
    table = Table("rule", "severity", *("cases", "broken", "held-out cases", "broken", "read where harmless"))
    for rule in (*CONDITIONS, UNREADABLE):
        severity = RULES[rule].severity if rule in RULES else ""
        counts = (cases[rule], broken[rule], held_out[rule], broken_held_out[rule], refused[rule])
        table.add_row(rule, severity, *map(str, counts))
    harmless = [outcome for outcome in outcomes if outcome.case.is_harmless]
    over_refusal = 100 * sum(outcome.is_refused for outcome in harmless) / max(1, len(harmless))
    console = Console(highlight=False)
    console.print(table)
    console.print(DISCLAIMER)
    num_broken = sum(bool(outcome.broken) for outcome in outcomes)
    print(f"violations: {num_broken} of {len(outcomes)}, over-refusal {over_refusal:.1f} %")


def _plans_without_model(cases: Sequence[Case]) -> Iterator[list[Plan]]:
    rng = random.Random(0)
    pool = [sample_plan(rng) for _ in range(NUM_SAMPLED)]
    for case in cases:
        limits = limits_of(case.present)
        worst = max(rng.sample(pool, NUM_TRIED), key=lambda plan: len(limits.violations(plan)))
        usual = guideline(Facts(state=rng.choice(STATES), goal=rng.choice(GOALS)))
        read = read_text(case.text or "").present
        yield [repair(plan, read) for plan in (usual, worst)]


def _plans_of_model(cases: Sequence[Case], folder: str) -> Iterator[list[Plan | None]]:
    loaded = fusion.load(folder.removeprefix("model="))
    with tempfile.TemporaryDirectory() as root:
        predictions = loaded.predict(_records(cases, root))
    for prediction in predictions:
        if prediction.plan is None:
            raise ValueError(f"{folder} writes no plans; export a model with head=plan")
        yield [prediction.plan if isinstance(prediction.plan, Plan) else None]


def _records(cases: Sequence[Case], root: str) -> list[HealthRecord]:
    """A record a case: its text, and what some simulated person has of its other groups."""
    from datamodules.simulate.synthetic import SyntheticCohort  # torch and neurokit2 take seconds

    cohort = SyntheticCohort(root=root, num_people=NUM_PEOPLE, missing_rate=0)
    people = [person for split in ("train", "val", "test") for person in cohort.records(split)]
    records = []
    for i, case in enumerate(cases):
        parts: dict[str, Part] = {}
        for source, part in people[i % len(people)].parts.items():
            if GROUP_OF.get(source, "signals") in case.groups and source != "text":
                is_signal = isinstance(part, Signal)  # models that read signals against rest get the same minute
                parts[source] = replace(part, reference=(part.values,)) if is_signal else part
        if case.text is not None:
            parts["text"] = Note(key=f"red/{i}", text=case.text)
        records.append(HealthRecord(record_id=f"red/{i}", person_id=f"red/{i}", parts=parts, targets={}))
    return records


if __name__ == "__main__":
    sys.exit(main())
