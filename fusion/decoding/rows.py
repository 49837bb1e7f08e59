"""Write token by token, greedily or by sampling, inside an automaton or free.

Rows that have ended leave the batch. Inside an automaton a step sees only the tokens that may come next, so what is
written is in its language whatever the model thinks.
"""

# Shapes: N rows being written, P tokens, V vocabulary.

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from fusion.plan.language.automaton import Place, State

Choice = Callable[[Tensor], Tensor]  # logits (N, V) -> tokens (N,)


class Writer(Protocol):
    """A model in the middle of writing N rows: it remembers what each row has read and written."""

    bos_id: int
    eos_id: int
    pad_id: int
    max_length: int  # tokens after <bos>

    def step(self, last: Tensor) -> Tensor:
        """The last token of every row (N,) -> logits of the next (N, V)."""

    def select(self, rows: Tensor) -> None:
        """Keep ``rows`` only, in this order; a row may come several times."""


def write(writer: Writer, first: Tensor, *, choose: Choice, places: Sequence[Place] | None) -> Tensor:
    """Ids (N, P) after ``first`` (N,), which are <bos>; <eos> included and <pad> beyond, until every row has ended.

    ``places``: where each row starts in its automaton.
    """
    written = first.new_full((len(first), writer.max_length), writer.pad_id)
    rows = torch.arange(len(first), device=first.device)  # those still being written
    last, length = first, 0
    while len(rows) and length < writer.max_length:
        last = choose(masked(writer.step(last), places))
        written[rows, length] = last
        length += 1
        tokens = last.tolist()
        if places is not None:
            places = [place.after(token) for place, token in zip(places, tokens, strict=True)]
        if writer.eos_id in tokens:
            going_on = [row for row, token in enumerate(tokens) if token != writer.eos_id]
            places = None if places is None else [places[row] for row in going_on]
            kept = torch.tensor(going_on, dtype=torch.long, device=first.device)
            rows, last = rows[kept], last[kept]
            writer.select(kept)
    return written[:, :length]


def greedy(logits: Tensor) -> Tensor:
    """The most likely token of every row."""
    return logits.max(dim=-1).indices  # argmax takes 3 times as long on a CPU, for 16 rows in bf16


def sampler(*, temperature: float = 1.0, top_p: float = 1.0, generator: torch.Generator | None = None) -> Choice:
    """Draw from the fewest tokens that hold ``top_p`` of the probability (nucleus sampling, Holtzman et al. 2020)."""
    if temperature <= 0:
        raise ValueError(f"temperature={temperature}, expected more than 0; method='greedy' is the limit")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p}, expected more than 0 and at most 1")

    def draw(logits: Tensor) -> Tensor:
        probability, token = (logits.float() / temperature).softmax(dim=-1).sort(dim=-1, descending=True)
        before = probability.cumsum(dim=-1) - probability
        drawn = torch.multinomial(probability.masked_fill(before >= top_p, 0), 1, generator=generator)
        return token.gather(1, drawn)[:, 0]

    return draw


def masked(logits: Tensor, places: Sequence[Place] | None) -> Tensor:
    """-inf where a token may not come next."""
    if places is None:
        return logits
    forbidden = torch.stack([_forbidden(place.state, logits.shape[-1]) for place in places])
    return logits.masked_fill(forbidden.to(logits.device), -torch.inf)


@lru_cache(maxsize=4096)  # a plan has about 100 states; 5 MB over the plan vocabulary, 200 MB over GPT-2's
def _forbidden(state: State, num_tokens: int) -> Tensor:
    allowed = torch.tensor(list(state.next), dtype=torch.long)
    return torch.ones(num_tokens, dtype=torch.bool).index_fill_(0, allowed, False)
