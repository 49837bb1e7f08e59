"""What a plan follows from: the state of a person, what they want, what they must avoid, and what was seen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from fusion.plan.findings import Group
from fusion.plan.knowledge.exercises import LOWEST_LEVEL, NO_EQUIPMENT, Equipment, Level
from fusion.plan.schema import DEFAULT_GOAL


class Finding(BaseModel):
    """One thing that one group of modalities showed, e.g. signals: raised_arousal, heart rate 92 bpm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: Group
    finding: str
    value: float | None = Field(default=None, allow_inf_nan=False)
    unit: str | None = None
    last_s: int | None = None


class Facts(BaseModel):
    """``findings`` are known through the group that they name, all else but the state through the text only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: str
    goal: str
    constraints: tuple[str, ...] = ()
    equipment: Equipment = NO_EQUIPMENT
    level: Level = LOWEST_LEVEL
    named_foods: tuple[str, ...] = ()  # food groups named in the text
    findings: tuple[Finding, ...] = ()

    def seen_by(self, groups: set[str]) -> Facts:
        """The facts left when only ``groups`` are present; without text: the default goal, at home, as a beginner."""
        findings = tuple(f for f in self.findings if f.group in groups)
        if "text" in groups:
            return self.model_copy(update={"findings": findings})
        return Facts(state=self.state, goal=DEFAULT_GOAL, findings=findings)
