"""What a dataset promises to the data module."""

from __future__ import annotations

from typing import Protocol

from datamodules.records import HealthRecord


class Cohort(Protocol):
    """A source of records.

    ``labels``: the classes of every classification head it labels. ``fingerprint``: a hash of whatever decides the
    content of its recordings; prepared streams are cached under it.
    """

    name: str
    labels: dict[str, tuple[str, ...]]
    fingerprint: str

    def records(self, split: str) -> list[HealthRecord]:
        """Every record of "train", "val" or "test", always in the same order; no person is in two splits."""
        ...

    def ceiling(self) -> dict[str, dict[str, float]]:
        """The best reachable metrics per subset of groups where they are known, else {}."""
        ...
