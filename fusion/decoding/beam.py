"""Write the most likely text that a beam search finds, inside an automaton or free."""

# Shapes: B people, K beams a person, N = B x K rows being written, P tokens, V vocabulary.

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from fusion.decoding.rows import Writer, masked
from fusion.plan.language.automaton import Place


def write_beams(writer: Writer, first: Tensor, *, num_beams: int, places: Sequence[Place] | None) -> Tensor:
    """Ids (B, P) after ``first`` (B,), which are <bos>; <eos> included and <pad> beyond.

    Texts are ranked by log-probability as it is, not by length: a text only loses by going on, so a person is done as
    soon as their best beam has ended, and leaves the batch.
    """
    if num_beams < 1:
        raise ValueError(f"num_beams={num_beams}, expected at least 1")
    answers = first.new_full((len(first), writer.max_length), writer.pad_id)
    people = torch.arange(len(first), device=first.device)
    writer.select(people.repeat_interleave(num_beams))
    last = first.repeat_interleave(num_beams)
    places = None if places is None else [place for place in places for _ in range(num_beams)]
    written = first.new_empty(len(last), 0)
    has_ended = torch.zeros_like(last, dtype=torch.bool)
    score = torch.full((len(first), num_beams), -torch.inf, device=first.device)
    score[:, 0] = 0  # all beams begin alike: only the first goes on

    for length in range(1, writer.max_length + 1):
        gain = masked(writer.step(last).float(), places).log_softmax(dim=-1)
        gain = gain.masked_fill(has_ended[:, None], -torch.inf)
        gain[:, writer.pad_id].masked_fill_(has_ended, 0)  # a text that has ended stays as it is
        score, best = (score[..., None] + gain.unflatten(0, (-1, num_beams))).flatten(1).topk(num_beams, dim=1)
        parent = best // gain.shape[1] + num_beams * torch.arange(len(people), device=first.device)[:, None]
        parent, last = parent.flatten(), (best % gain.shape[1]).flatten()
        written = torch.cat([written[parent], last[:, None]], dim=1)
        has_ended = has_ended[parent] | (last == writer.eos_id)

        is_done = has_ended.unflatten(0, (-1, num_beams))[:, 0] | (length == writer.max_length)
        answers[people[is_done], :length] = written.unflatten(0, (-1, num_beams))[is_done, 0]
        kept = (~is_done).repeat_interleave(num_beams).nonzero()[:, 0]
        if not len(kept):
            return answers[:, :length]
        if places is not None:
            places = [_after(places[row], token) for row, token in zip(parent.tolist(), last.tolist(), strict=True)]
            places = [places[row] for row in kept.tolist()]
        people, score = people[~is_done], score[~is_done]
        written, last, has_ended = written[kept], last[kept], has_ended[kept]
        writer.select(parent[kept])
    return answers


def _after(place: Place, token: int) -> Place:
    """Beams that have ended, and those of no probability that only fill the width, stay where they are."""
    return place.after(token) if token in place.state.next else place
