"""The domain of plans, without torch: what a plan is, what it follows from, how it is written, read and scored."""

from fusion.plan.facts import Facts, Finding
from fusion.plan.language.display import to_display
from fusion.plan.language.text import parse, to_text
from fusion.plan.language.tokenizer import load_tokenizer
from fusion.plan.rules.guidelines import guideline
from fusion.plan.rules.sources import Source, sources
from fusion.plan.schema import Plan
from fusion.plan.scoring.score import PlanScore

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
