"""Sample plans: what the person gave, what the guideline says, what the model wrote."""

from __future__ import annotations

import torch
from torch import Tensor

from fusion.plan import load_tokenizer

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


def to_markdown(rows: list[list[str]]) -> str:
    """Sample plans as a page to read."""
    blocks = [
        f"## {record}\n\n**Input.** {given}\n\n"
        f"**Reference**\n```\n{reference}\n```\n**Generated**\n```\n{generated}\n```\n"
        for record, given, reference, generated in rows
    ]
    return "# Sample plans of the test split\n\nNot medical advice.\n\n" + "\n".join(blocks)
