"""Choose how to write: greedily, by beam search or by sampling, each within limits or free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from fusion.decoding.beam import write_beams
from fusion.decoding.rows import Writer, greedy, sampler, write
from fusion.plan.language.automaton import Encoder, automaton
from fusion.plan.rules.limits import Limits

OPTIONS = {"greedy": (), "beam": ("num_beams",), "sample": ("temperature", "top_p", "generator")}


def generate(
    writer: Writer,
    num_rows: int,
    *,
    limits: Sequence[Limits] | None,
    tokenizer: Encoder,
    device: torch.device,
    method: str,
    **options: Any,
) -> Tensor:
    """Ids (B, P) after <bos>, <eos> included and <pad> beyond it; ends when every row has ended.

    ``limits``: one a row, in whose language it stays. Raises ValueError on options that ``method`` does not have, and
    where the longest text fills ``max_length`` before a plan within its limits is complete.
    """
    if method not in OPTIONS:
        raise ValueError(f"decoding method {method!r} is unknown, expected one of {', '.join(OPTIONS)}")
    if unknown := sorted(set(options) - set(OPTIONS[method])):
        known = ", ".join(OPTIONS[method]) or "none"
        raise ValueError(f"method={method!r} has no option {', '.join(unknown)}, expected some of: {known}")
    if limits is not None and len(limits) != num_rows:
        raise ValueError(f"{len(limits)} limits for {num_rows} rows; give one a row, NO_LIMITS where nothing is known")
    places = None if limits is None else [automaton(limit, tokenizer) for limit in limits]
    first = torch.full((num_rows,), writer.bos_id, device=device)
    if method == "beam":
        ids = write_beams(writer, first, places=places, **options)
    else:
        choose = greedy if method == "greedy" else sampler(**options)
        ids = write(writer, first, choose=choose, places=places)
    if places is not None and not (ids == writer.eos_id).any(dim=1).all():
        raise ValueError(
            f"max_length={writer.max_length} tokens cut off a plan within its limits; raise the plan head's max_length"
        )
    return ids
