"""Records of one split as samples: modality dropout first, then streams, then targets from what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
import torch
from torch.utils.data import Dataset

from datamodules.collate import Sample
from datamodules.modality import Modality
from datamodules.records import HealthRecord
from datamodules.sampler import Draw
from datamodules.tags import PieceTags
from datamodules.transforms.base import Prepared
from fusion.plan import Facts, guideline, load_tokenizer, to_text
from fusion.plan.context import PlanContext
from fusion.targets import UNLABELLED, Target

Lookup = Callable[[str, HealthRecord], Prepared | None]
ReadContext = Callable[[HealthRecord, Iterable[str]], PlanContext]


class RecordDataset(Dataset[Sample]):
    """``lookup(modality, record)`` gives the prepared, scaled stream or None where the record lacks it.

    ``targets``: to give out, by name. ``keep``: modalities a record may show (a row of the results table); None = all.
    ``dropout``: chance that a group is hidden; at least one group of the record always stays.
    ``read_context(record, modalities shown)`` is asked for every sample where it is given: for records that get a plan.
    ``tags``: by target of spans, what turns them into a tag per word piece; a hidden text has none.
    """

    def __init__(
        self, *, records: list[HealthRecord], modalities: dict[str, Modality], lookup: Lookup,
        targets: dict[str, Target], tags: dict[str, PieceTags], keep: frozenset[str] | None = None,
        dropout: float = 0.0, is_augmented: bool = False, read_context: ReadContext | None = None,
    ):  # fmt: skip
        self.records, self.modalities, self.lookup, self.targets = records, modalities, lookup, targets
        self.tags, self.read_context = tags, read_context
        self.keep, self.dropout, self.is_augmented = keep, dropout, is_augmented

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, draw: Draw) -> Sample:
        record = self.records[draw.index]
        generator = torch.Generator().manual_seed(draw.seed)
        names = self.modalities if self.keep is None else self.keep
        streams = {name: self.lookup(name, record) for name in names}
        streams = {name: stream for name, stream in streams.items() if stream is not None}
        shown = self._shown({self.modalities[name].group for name in streams}, generator)
        streams = {name: stream for name, stream in streams.items() if self.modalities[name].group in shown}
        if self.is_augmented:
            augments = {name: self.modalities[name].augment for name in streams}
            streams = {n: augments[n](s, generator) if augments[n] else s for n, s in streams.items()}
        targets = {name: self._target(name, record, shown) for name in self.targets}
        context = self.read_context(record, streams) if self.read_context else None
        return Sample(record.record_id, record.person_id, streams, targets, context)

    def _shown(self, present: set[str], generator: torch.Generator) -> frozenset[str]:
        """Groups left after dropout."""
        ordered = sorted(present)
        draws = torch.rand(len(ordered) + 1, generator=generator).tolist()
        left = [group for group, u in zip(ordered, draws, strict=False) if u >= self.dropout]
        return frozenset(left or ordered[int(draws[-1] * len(ordered)) :][:1])

    def _target(self, name: str, record: HealthRecord, shown: frozenset[str]) -> np.ndarray:
        value, target = record.targets.get(name), self.targets[name]
        if value is None or (target.kind == "spans" and "text" not in shown):
            return unlabelled(target)
        if target.kind == "spans":
            return self.tags[name](record.parts["text"], value)
        return _plan_ids(value.seen_by(shown)) if target.kind == "plan" else np.asarray(value)


@lru_cache(maxsize=65536)
def _plan_ids(facts: Facts) -> np.ndarray:
    """Ids of the canonical plan after <bos>, <eos> included."""
    return np.asarray(load_tokenizer().encode(to_text(guideline(facts)))[1:], dtype=np.int64)


def unlabelled(target: Target) -> np.ndarray:
    """What stands for a label that is not there."""
    if target.kind == "numbers":
        return np.full(len(target.names), np.nan, np.float32)
    if target.kind == "multilabel":
        return np.full(len(target.names), UNLABELLED)
    return np.full(1, UNLABELLED) if target.kind in ("spans", "plan") else np.asarray(UNLABELLED)
