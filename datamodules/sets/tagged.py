"""A public set of texts whose entities are tagged, in its own labels or as kinds of food."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

from datamodules.records import Note, Span
from datamodules.sets.diet_spans import DIET, to_diet
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.tags import bio
from fusion.targets import Target

NATIVE, FOODS = "native", "diet"


class Tagged(NamedTuple):
    """A text and its entities in the set's own labels; ``part``: "test" where it is of the official test part."""

    key: str
    text: str
    spans: list[Span]
    part: str | None = None


class TaggedCohort(LabelledCohort):
    """``tags``: "native" keeps the set's own labels; "diet" keeps foods only, each by what foods.yaml says
    it is: DIN, FRUIT, VEG, MEAT or DRINK, and foods without a tag (seasonings, fats) left out.

    A subclass names its ``entities`` and which of them is ``food``.
    """

    entities: ClassVar[tuple[str, ...]]
    food: ClassVar[str]
    alike = "text"

    def __init__(self, *, data_dir: Path | str | None, tags: str, split: int, seed: int = 0) -> None:
        super().__init__(data_dir=data_dir, split=split, seed=seed)
        if tags not in (NATIVE, FOODS):
            raise ValueError(f"{self.name}: tags is {tags!r}, expected {NATIVE} or {FOODS}; set data.cohort.tags")
        self.tags = tags
        self.targets = {"recipe_entities": Target("spans", bio(self.entities) if tags == NATIVE else DIET)}

    @abstractmethod
    def texts(self) -> Iterator[Tagged]:
        """Every text, in the order of the set."""

    def read(self) -> Iterator[Item]:
        """Every text with its spans; equal texts are one source, and with ``alike`` nearly equal ones too."""
        for key, text, spans, part in self.texts():
            kept = spans if self.tags == NATIVE else to_diet(text, spans, food=self.food)
            source = hashlib.sha256(text.encode()).hexdigest()[:16]
            yield Item(key, source, {"text": Note(key=key, text=text)}, {"recipe_entities": kept}, part=part)
