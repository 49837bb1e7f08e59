"""What a plan follows from: the state of a person, what they want, what they must avoid, and what was seen."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Group = Literal["text", "signals", "photo", "audio"]


class Finding(BaseModel):
    """One thing that one group of modalities showed, e.g. signals: raised_arousal, heart rate 92 bpm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: Group
    finding: str
    value: float | None = Field(default=None, allow_inf_nan=False)
    unit: str | None = None


class Facts(BaseModel):
    """``goal`` and ``constraints`` are known only through the text; ``findings`` through the group they name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: str
    goal: str
    constraints: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def seen_by(self, groups: set[str]) -> Facts:
        """The facts left when only ``groups`` are present; without text: goal 'maintain', nothing to avoid."""
        has_text = "text" in groups
        return self.model_copy(
            update={
                "goal": self.goal if has_text else "maintain",
                "constraints": self.constraints if has_text else (),
                "findings": tuple(f for f in self.findings if f.group in groups),
            }
        )
