"""What a person's record is before any tensor: physical units, real timestamps, who it is from.

Times are float64 seconds relative to the moment of prediction; <= 0 is the past.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A regularly sampled recording: sample i was taken at start_s + i / rate_hz.

    ``values``: (T, C) in ``unit``, NaN = not measured.
    ``reference``: windows of the same person at rest, each (T', C), same rate and unit, with no time of their own.
    ``key`` names the source item uniquely within the cohort: prepared streams are cached under it.
    """

    key: str
    values: np.ndarray
    rate_hz: float
    unit: str
    start_s: float
    reference: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo: ``image`` is a path or the bytes of a jpg/png file."""

    key: str
    image: Path | bytes
    time_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A mono sound: ``sound`` is a path (wav/flac/ogg/mp3) or samples (T,) float32 in -1..1 at ``rate_hz``."""

    key: str
    sound: Path | np.ndarray
    rate_hz: float | None  # None: as the file says
    start_s: float


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something written: a diary entry, a goal, a forum post."""

    key: str
    text: str
    time_s: float = 0.0


class Span(NamedTuple):
    """Characters ``start`` to ``end`` of a record's note, and what they are: a target of a tagging head."""

    start: int
    end: int
    label: str


Part = Signal | tuple[Photo, ...] | Clip | Note


@dataclass(frozen=True, kw_only=True)
class HealthRecord:
    """Everything known of one person at one moment of prediction.

    ``parts``: recordings by source name ("ppg", "eda", "acc", "temperature", "photo", "audio", "text"); a missing
    one is absent.
    ``targets``: head name -> class index (int), number (float), the Spans tagged in the text, or the fusion.plan.Facts
    that a plan is rendered from.
    ``sources``: every person, speaker, photo, clip or post behind the record; splits and bootstraps go by them.
    """

    record_id: str
    person_id: str
    parts: dict[str, Part]
    targets: dict[str, object]
    sources: dict[str, str] = field(default_factory=dict)
