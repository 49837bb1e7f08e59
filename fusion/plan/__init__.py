"""The domain of plans, without torch: what a plan is, what it follows from, how it is written, read and scored."""

from fusion.plan.display import to_display
from fusion.plan.facts import Facts, Finding
from fusion.plan.guidelines import guideline
from fusion.plan.schema import Plan
from fusion.plan.score import PlanScore
from fusion.plan.sources import Source, sources
from fusion.plan.text import parse, to_text
from fusion.plan.tokenizer import load_tokenizer

__all__ = [
    "Facts",
    "Finding",
    "Plan",
    "PlanScore",
    "Source",
    "guideline",
    "load_tokenizer",
    "parse",
    "sources",
    "to_display",
    "to_text",
]
