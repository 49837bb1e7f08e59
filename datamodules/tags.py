"""Tagged characters of a note to one class per word piece."""

# Shapes: T word pieces, special ones included.

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from datamodules.records import Note, Span
from datamodules.transforms.text import PrepareText
from fusion.targets import OUTSIDE, UNLABELLED


def bio(labels: Iterable[str]) -> tuple[str, ...]:
    """The classes of a tagging head: O, then B- and I- of every label (Ramshaw & Marcus 1995)."""
    return (OUTSIDE, *(f"{place}-{label}" for label in labels for place in "BI"))


def spans_of(tags: Iterable[str], offsets: Iterable[tuple[int, int] | None]) -> list[Span]:
    """The entities that the pieces of a text say, each from its first character to its last.

    ``offsets``: characters of every piece, None for special ones. An I- that continues nothing begins an entity, as
    seqeval counts it.
    """
    spans: list[Span] = []
    is_open = False
    for tag, place in zip(tags, offsets, strict=False):  # an answer is padded beyond the text
        kind, _, label = tag.partition("-")
        continues = is_open and kind == "I" and spans[-1].label == label
        is_open = place is not None and kind != OUTSIDE
        if is_open:
            start = spans.pop().start if continues else place[0]
            spans.append(Span(start, place[1], label))
    return spans


class PieceTags:
    """Align spans with the word pieces of ``prepare``: the first piece of a span is B-, the others I-, the rest O.

    A piece belongs to the first span that it shares a character with. Special pieces are -100.
    """

    def __init__(self, *, classes: Sequence[str], prepare: PrepareText):
        self.classes = {name: index for index, name in enumerate(classes)}
        self.prepare = prepare
        self.known: dict[str, np.ndarray] = {}  # by note: the same for every epoch

    def __call__(self, note: Note, spans: Iterable[Span]) -> np.ndarray:
        """(T,) int64 class indices of the pieces that ``prepare(note)`` gives."""
        if note.key not in self.known:
            self.known[note.key] = self._align(note, sorted(spans))
        return self.known[note.key]

    def _align(self, note: Note, spans: list[Span]) -> np.ndarray:
        self._check(note, spans)
        offsets = self.prepare.offsets(note)
        tags = np.full(len(offsets), UNLABELLED)
        begun: set[Span] = set()
        for piece, (start, end) in ((i, place) for i, place in enumerate(offsets) if place):
            span = next((span for span in spans if span[0] < end and start < span[1]), None)
            tags[piece] = self.classes[OUTSIDE if span is None else f"{'I' if span in begun else 'B'}-{span[2]}"]
            begun.add(span)
        return tags

    def _check(self, note: Note, spans: list[Span]) -> None:
        end = 0
        for span in spans:
            if not end <= span[0] < span[1] <= len(note.text):
                raise ValueError(
                    f"note {note.key!r}: span {tuple(span)} overlaps the one before, is empty or leaves the "
                    f"{len(note.text)} characters of the text; fix the cohort's spans"
                )
            if f"B-{span[2]}" not in self.classes or f"I-{span[2]}" not in self.classes:
                raise ValueError(
                    f"note {note.key!r}: span label {span[2]!r} has no B- and I- among {list(self.classes)}; "
                    f"fix data.targets"
                )
            end = span[1]
