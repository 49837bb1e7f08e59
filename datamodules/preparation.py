"""Recordings into what a model reads: one object, the same in training and behind an exported model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from datamodules.collate import pad_rows
from datamodules.context import context_of
from datamodules.modality import Modality
from datamodules.records import HealthRecord, Part
from datamodules.transforms.base import Prepared
from fusion.batch import Stream
from fusion.plan.context import PlanContext

Recall = Callable[[str, Part], Prepared]


class Preparation:
    """Prepare, scale and pad records, and read what plans are held to.

    ``recall(modality, recording)`` gives the prepared, unscaled stream where it is kept already (a store on disk); None
    prepares anew. ``featured``: modalities whose kept streams are a frozen backbone's features, which are not scaled.
    """

    def __init__(
        self, modalities: dict[str, Modality], *, recall: Recall | None = None, featured: Iterable[str] = ()
    ) -> None:
        self.modalities, self.featured = modalities, featured
        self.recall = recall or (lambda name, part: modalities[name].prepare(part))

    def once(self) -> Preparation:
        """The same, preparing every recording once: for a few records that are asked several things."""
        kept: dict[tuple[str, int], Prepared] = {}

        def recall(name: str, part: Part) -> Prepared:
            key = (name, id(part))
            if key not in kept:
                kept[key] = self.recall(name, part)
            return kept[key]

        return Preparation(self.modalities, recall=recall, featured=self.featured)

    def prepared(self, name: str, record: HealthRecord) -> Prepared | None:
        """A modality's stream in physical units; None where it is absent or nothing in it was measured."""
        part = record.parts.get(self.modalities[name].source)
        stream = None if part is None else self.recall(name, part)
        return stream if stream is not None and stream.valid.any() else None

    def scaled(self, name: str, record: HealthRecord) -> Prepared | None:
        """The same as the model reads it."""
        stream = self.prepared(name, record)
        return stream if stream is None or name in self.featured else self.modalities[name].prepare.scale(stream)

    def present(self, record: HealthRecord) -> list[str]:
        """Modalities of which the record has a usable stream."""
        return [name for name in self.modalities if self.prepared(name, record) is not None]

    def streams(self, records: Iterable[HealthRecord]) -> dict[str, Stream]:
        """Records side by side, padded to the longest; rows without a modality are wholly invalid."""
        records = list(records)
        return {
            name: pad_rows([self.scaled(name, record) or modality.prepare.absent() for record in records])
            for name, modality in self.modalities.items()
        }

    def context(self, record: HealthRecord, shown: Iterable[str]) -> PlanContext:
        """What plain code reads in the modalities ``shown`` of a record: plans are held to it."""
        return context_of(record, shown, self.modalities, lambda name: self.prepared(name, record))

    def state(self) -> dict[str, dict[str, list[float]]]:
        """By modality, the statistics learned from the train split: an exported model needs them."""
        return {name: modality.prepare.state() for name, modality in self.modalities.items()}

    def load_state(self, state: Mapping[str, dict[str, list[float]]]) -> None:
        """Take back what ``state`` gave; ValueError names a modality that it leaves out."""
        for name, modality in self.modalities.items():
            if name not in state:
                raise ValueError(f"no statistics of {name!r}, there are {sorted(state)}; export the model again")
            modality.prepare.load_state(state[name])
