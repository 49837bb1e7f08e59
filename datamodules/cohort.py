"""What a dataset promises to the data module."""

from __future__ import annotations

from typing import Protocol

from datamodules.records import HealthRecord
from fusion.targets import Target


class Cohort(Protocol):
    """A source of records.

    ``targets``: what its records are labelled with, by the name of their field. ``fingerprint``: a hash of whatever
    decides the content of its recordings; prepared streams are cached under it.
    """

    name: str
    targets: dict[str, Target]
    fingerprint: str

    def records(self, split: str) -> list[HealthRecord]:
        """Every record of "train", "val" or "test", always in the same order; no person is in two splits."""
        ...

    def ceiling(self) -> dict[str, dict[str, dict[str, float]]]:
        """By target, the best reachable metrics per subset of groups where they are known, else {}."""
        ...
