"""The domain of plans, without torch: what a plan is, what it follows from, how it is written, read and scored."""

from fusion.plan.facts import Facts, Finding
from fusion.plan.guidelines import guideline
from fusion.plan.schema import Plan
from fusion.plan.text import parse, to_text

__all__ = ["Facts", "Finding", "Plan", "guideline", "parse", "to_text"]
