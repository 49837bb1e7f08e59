"""The published ranges of targets.yaml: what plans stay within, each with its unit and source."""

from __future__ import annotations

from importlib.resources import files
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator


class Target(BaseModel):
    """``low`` to ``high`` in ``unit``; None = open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float | None = None
    high: float | None = None
    unit: str
    cite: str

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the range, its ends included."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class _Targets(BaseModel):
    """targets.yaml, typed: an unknown source or one that nobody cites is an error at import."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: dict[str, Target]
    sources: dict[str, str]

    @model_validator(mode="after")
    def _is_cited(self) -> Self:
        if odd := {target.cite for target in self.targets.values()} ^ set(self.sources):
            raise ValueError(f"sources {sorted(odd)} of targets.yaml are cited or listed, but not both")
        return self


_TEXT = files(__package__).joinpath("targets.yaml").read_text(encoding="utf-8")
_READ = _Targets.model_validate(yaml.load(_TEXT, yaml.CSafeLoader))
TARGETS, SOURCES = _READ.targets, _READ.sources
