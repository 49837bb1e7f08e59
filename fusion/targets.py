"""What a cohort labels and a head answers: targets, each of a kind, under the names of their field."""

# Shapes: B records, K classes or labels, P numbers, T word pieces or plan tokens.

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # commands that only count records start without torch
    from torch import Tensor

UNLABELLED = -100  # of class indices, labels, tags and tokens; torch's losses leave it out. Of numbers: NaN.
OUTSIDE = "O"  # the first tag of every tagging: not part of any span

KINDS = {  # kind: what its names are
    "classes": "classes, of which one holds: (B,) index",
    "ordinal": "ranks in rising order, of which one holds: (B,) index",
    "multilabel": "labels, of which any may hold: (B, K) 0 or 1",
    "numbers": "numbers in one unit: (B, P), NaN where not known",
    "spans": "tags in BIO form, O first, one a word piece: (B, T) index",
    "plan": "nothing, a plan has its own vocabulary: (B, T) token ids",
}


class Target(NamedTuple):
    """One question that records are labelled with.

    ``names``: see KINDS. ``unit``: of numbers, as a reader writes it; "" where they have none.
    """

    kind: str
    names: tuple[str, ...] = ()
    unit: str = ""

    @classmethod
    def declare(cls, name: str, *, kind: str, names: Iterable[object] = (), unit: str = "") -> Target:
        """A checked target; ValueError says what is wrong with the declaration of ``name``."""
        target = cls(kind, tuple(str(one) for one in names), unit)
        where = f"fix data.targets.{name}"
        if kind not in KINDS:
            raise ValueError(f"target {name!r} is of kind {kind!r}, expected one of {', '.join(KINDS)}; {where}")
        if (kind == "plan") == bool(target.names):
            raise ValueError(f"target {name!r} of kind {kind} has names {list(target.names)}; its names are "
                             f"{KINDS[kind].partition(':')[0]}; {where}.names")  # fmt: skip
        if len(set(target.names)) < len(target.names):
            raise ValueError(f"target {name!r} names something twice: {list(target.names)}; {where}.names")
        if kind == "spans" and target.names[0] != OUTSIDE:
            raise ValueError(f"target {name!r} tags {list(target.names)}, expected {OUTSIDE!r} first; {where}.names")
        return target


def labelled_rows(kind: str, target: Tensor) -> Tensor:
    """(B,) bool: the rows of a target of ``kind`` that hold any label."""
    is_labelled = target.isfinite() if kind == "numbers" else target != UNLABELLED
    return is_labelled if is_labelled.ndim == 1 else is_labelled.any(dim=1)
