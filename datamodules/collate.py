"""Prepared records side by side: list[Sample] -> fusion.batch.Batch."""

# Shapes: B records, T the longest of the batch, P tokens of the longest plan.

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from datamodules.transforms.base import Prepared
from fusion.batch import Batch, Stream
from fusion.plan.context import PlanContext
from fusion.targets import UNLABELLED


class Sample(NamedTuple):
    """One record, ready to be collated: a stream is missing where the record lacks the modality."""

    record_id: str
    person_id: str
    streams: dict[str, Prepared]
    targets: dict[str, np.ndarray]  # 0-d for a class or a number, (P,) ids for a plan
    context: PlanContext | None = None


def collate(samples: list[Sample], absent: dict[str, Prepared]) -> Batch:
    """Pad every stream of ``absent``'s names to the longest of the batch; rows without it are wholly invalid."""
    streams = {name: pad_rows([s.streams.get(name, blank) for s in samples]) for name, blank in absent.items()}
    targets = {name: _pad_targets([s.targets[name] for s in samples]) for name in samples[0].targets}
    contexts = [s.context for s in samples] if samples[0].context else None
    return Batch(streams, targets, [s.record_id for s in samples], [s.person_id for s in samples], contexts)


def pad_rows(rows: list[Prepared]) -> Stream:
    """Prepared streams of any lengths -> one Stream (B, T, ...), padded on the right with invalid zeros."""
    num_steps = max(len(row.valid) for row in rows)
    first = rows[0].values
    dtype = np.float32 if np.issubdtype(first.dtype, np.floating) else first.dtype
    values = np.zeros((len(rows), num_steps, *first.shape[1:]), dtype=dtype)
    valid = np.zeros((len(rows), num_steps), dtype=bool)
    time_s = np.zeros((len(rows), num_steps), dtype=np.float32)
    for i, row in enumerate(rows):
        values[i, : len(row.valid)] = row.values
        valid[i, : len(row.valid)] = row.valid
        time_s[i, : len(row.valid)] = row.time_s
    return Stream(torch.from_numpy(values), torch.from_numpy(valid), torch.from_numpy(time_s))


def _pad_targets(rows: list[np.ndarray]) -> torch.Tensor:
    if rows[0].ndim == 0:
        return torch.as_tensor(np.stack(rows))
    return torch.nn.utils.rnn.pad_sequence([torch.as_tensor(row) for row in rows], True, padding_value=UNLABELLED)
