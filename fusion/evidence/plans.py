"""Sample plans: what the person gave, what the guideline says, what the model wrote."""

from __future__ import annotations

import torch
from torch import Tensor

from fusion.batch import GROUPS
from fusion.plan import Plan, load_tokenizer, parse
from fusion.plan.scoring.deletion import deletion_test

COLUMNS = ["record", "input", "reference", "generated"]


def sample_plans(
    seen: list[tuple[list[str], Tensor, Tensor]], inputs: dict[str, str], num_plans: int
) -> list[list[str]]:
    """First ``num_plans`` rows of COLUMNS. ``seen``: (record ids, generated ids, reference ids) of every batch."""
    tokenizer = load_tokenizer()
    rows = []
    for ids, generated, reference in seen:
        for record_id, out, target in zip(ids, generated, reference, strict=True):
            if len(rows) == num_plans:
                return rows
            target = torch.where(target < 0, tokenizer.pad_id, target)
            texts = [tokenizer.decode(tokens.tolist()) for tokens in (target, out)]
            rows.append([record_id, inputs[record_id], *texts])
    return rows


def deletion(predictions: dict[str, dict[str, list]], groups: list[str]) -> dict[str, float]:
    """The deletion test over the rows that were generated: "all" against all but one group."""
    hidden = {group: "+".join(g for g in GROUPS if g in groups and g != group) for group in groups}
    plans = {row: _plans(predictions.get(row, {}).get("plan", [])) for row in ("all", *hidden.values())}
    shared = {group: {i: p for i, p in plans[row].items() if i in plans["all"]} for group, row in hidden.items()}
    return {f"plan/{name}": value for name, value in deletion_test(plans["all"], shared).items()}


def _plans(seen: list[tuple[list[str], Tensor, Tensor]]) -> dict[str, Plan]:
    """By record id, the plans that parse."""
    decode = load_tokenizer().decode
    texts = {i: decode(row) for ids, generated, _ in seen for i, row in zip(ids, generated.tolist(), strict=True)}
    parsed = {i: parse(text) for i, text in texts.items()}
    return {i: plan for i, plan in parsed.items() if isinstance(plan, Plan)}


def to_markdown(rows: list[list[str]]) -> str:
    """Sample plans as a page to read."""
    blocks = [
        f"## {record}\n\n**Input.** {given}\n\n"
        f"**Reference**\n```\n{reference}\n```\n**Generated**\n```\n{generated}\n```\n"
        for record, given, reference, generated in rows
    ]
    return "# Sample plans of the test split\n\nNot medical advice.\n\n" + "\n".join(blocks)
