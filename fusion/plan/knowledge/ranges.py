"""The published ranges of ranges.yaml: what plans stay within, each with its unit and source."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from fusion.plan.knowledge.loader import load_knowledge


class Range(BaseModel):
    """``low`` to ``high`` in ``unit``; None = open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float | None = None
    high: float | None = None
    unit: str
    cite: str

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the range, its ends included."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class _Ranges(BaseModel):
    """ranges.yaml, typed: an unknown source or one that nobody cites is an error at import."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranges: dict[str, Range]
    sources: dict[str, str]

    @model_validator(mode="after")
    def _is_cited(self) -> Self:
        if unpaired := {one.cite for one in self.ranges.values()} ^ set(self.sources):
            raise ValueError(f"sources {sorted(unpaired)} of ranges.yaml are cited or listed, but not both")
        return self


RANGES = load_knowledge("ranges", _Ranges).ranges
