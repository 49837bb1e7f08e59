"""Sample plans: what the person gave, what the guideline says, what the model wrote."""

from __future__ import annotations

from itertools import islice

from torch import Tensor

from fusion.batch import GROUPS
from fusion.evidence.kinds.plan import plan_texts, read_plans
from fusion.evidence.results import Predictions
from fusion.plan import Plan
from fusion.plan.scoring.deletion import deletion_test

COLUMNS = ["record", "input", "reference", "generated"]


def sample_plans(
    seen: list[tuple[list[str], Tensor, Tensor]], inputs: dict[str, str], num_plans: int
) -> list[list[str]]:
    """First ``num_plans`` rows of COLUMNS. ``seen``: (record ids, generated ids, reference ids) of every batch."""
    texts = (
        [record_id, inputs[record_id], reference, generated]
        for ids, out, target in seen
        for record_id, reference, generated in zip(ids, plan_texts(target), plan_texts(out), strict=True)
    )
    return list(islice(texts, num_plans))


def deletion(predictions: Predictions, head: str, groups: list[str]) -> dict[str, float]:
    """The deletion test over the rows for which ``head`` wrote plans: "all" against all but one group."""
    hidden = {group: "+".join(g for g in GROUPS if g in groups and g != group) for group in groups}
    plans = {row: _plans(predictions.get(row, {}).get(head, [])) for row in ("all", *hidden.values())}
    shared = {group: {i: p for i, p in plans[row].items() if i in plans["all"]} for group, row in hidden.items()}
    return {f"{head}/{name}": value for name, value in deletion_test(plans["all"], shared).items()}


def _plans(seen: list[tuple[list[str], Tensor, Tensor]]) -> dict[str, Plan]:
    """By record id, the plans that parse."""
    read = {i: plan for ids, out, _ in seen for i, plan in zip(ids, read_plans(out), strict=True)}
    return {i: plan for i, plan in read.items() if isinstance(plan, Plan)}


def to_markdown(rows: list[list[str]]) -> str:
    """Sample plans as a page to read."""
    blocks = [
        f"## {record}\n\n**Input.** {given}\n\n"
        f"**Reference**\n```\n{reference}\n```\n**Generated**\n```\n{generated}\n```\n"
        for record, given, reference, generated in rows
    ]
    return "# Sample plans of the test split\n\nNot medical advice.\n\n" + "\n".join(blocks)
