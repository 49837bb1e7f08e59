"""What a modality does to a recording: `prepare` for all splits, `augment` for train only."""

# Shapes: T time steps; the rest of ``values`` is per modality, see fusion.batch.Stream.

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch

from datamodules.records import Part


class Prepared(NamedTuple):
    """One modality of one record: ``values`` (T, ...), ``valid`` (T,) bool, ``time_s`` (T,) float64."""

    values: np.ndarray
    valid: np.ndarray
    time_s: np.ndarray


class Prepare(ABC):
    """Turn one recording into a Prepared; the same object serves every split and travels with the exported model.

    ``__call__`` is the expensive half (decode, resample, derive): its result is cached on disk, in physical units.
    ``scale`` is the cheap half, applied at every read, with statistics that ``fit`` learned from the train split.
    ``settings`` are the constructor's keywords: they and the recording's key decide the cached content.
    """

    settings: dict[str, object]
    channels: tuple[str, ...] = ()  # of a signal, by name

    def __new__(cls, **settings: object) -> Prepare:
        self = super().__new__(cls)
        self.settings = {"prepare": cls.__qualname__, **settings}
        return self

    @abstractmethod
    def __call__(self, part: Part) -> Prepared:
        """Prepare one recording, unscaled. ValueError names the recording's key, what came and what was expected."""

    @abstractmethod
    def absent(self) -> Prepared:
        """One invalid step of harmless values: what a record without this modality is collated from."""

    def offsets(self, part: Part) -> list[tuple[int, int] | None]:
        """Characters that every step of a text stands for, None for special ones; [] where the steps are no text."""
        return []

    def fit(self, prepared: Iterable[Prepared]) -> None:  # noqa: B027  (most transforms have nothing to learn)
        """Learn statistics from the prepared recordings of the train split. Default: none."""

    def scale(self, prepared: Prepared) -> Prepared:
        """Apply the statistics. A transform that needs them raises ValueError when it has none."""
        return prepared

    def state(self) -> dict[str, list[float]]:
        """What ``fit`` learned, as plain numbers saved with the model; {} where there is nothing."""
        return {}

    def load_state(self, state: dict[str, list[float]]) -> None:
        """Take back what ``state`` gave."""
        if state:
            raise ValueError(f"{type(self).__name__} has no statistics, got {sorted(state)}")


class Augment(ABC):
    """Change a prepared training stream at random; never used on validation or test."""

    @abstractmethod
    def __call__(self, prepared: Prepared, generator: torch.Generator) -> Prepared:
        """Draw the parameters from ``generator`` first, then apply them; shapes may change in T only."""
