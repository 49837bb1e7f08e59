"""Name the kind of food in spans that only say "food", by the lexicon of plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from datamodules.records import Span
from datamodules.tags import bio
from fusion.plan.knowledge.foods import Tag, foods_in, tag_of

DIET = bio(get_args(Tag))


def to_diet(text: str, spans: Iterable[Span], *, food: str) -> list[Span]:
    """Spans labelled ``food`` with the tag of the food they name; the rest, and foods without a tag, are left out."""
    named = ((span, tag_of(text[span.start : span.end])) for span in spans if span.label == food)
    return [span._replace(label=tag) for span, tag in named if tag]


def look_up(text: str) -> list[Span]:
    """What the lexicon alone tags in ``text``: the baseline of the diet tagger."""
    return [Span(found.start, found.end, found.tag) for found in foods_in(text) if found.tag]
