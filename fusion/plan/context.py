"""What plain code knows of a record before any model reads it: what decoding and verifying hold a plan to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fusion.plan.facts import Facts
from fusion.plan.knowledge.exercises import REGIONS, choose_moves
from fusion.plan.knowledge.foods import foods_in
from fusion.plan.reading.extract import read_text
from fusion.plan.rules.guidelines import GUIDELINES, cited_foods
from fusion.plan.rules.limits import Limits, Measured
from fusion.plan.rules.safety import limits_of
from fusion.plan.schema import SENSED, UNREMARKABLE, Food

_ENTRIES = [*GUIDELINES.states.values(), *GUIDELINES.findings.values(), *GUIDELINES.foods.values()]
LIMITABLE = tuple({food: None for entry in _ENTRIES for food in entry.limit})  # what some guideline limits in anybody
MOST_LIMITED = 12  # of fusion.plan.schema.Diet
CITABLE = tuple(finding for group in SENSED.values() for finding in group if finding not in UNREMARKABLE)

Offsets = Sequence[tuple[int, int] | None]  # characters of every word piece that a model reads, None for special ones


class Named(NamedTuple):
    """Food groups that one mention in the text belongs to, and the word pieces it stands in (none: beyond the last)."""

    foods: tuple[Food, ...]
    pieces: tuple[int, ...]


class PlanContext(NamedTuple):
    """``limits``: what the record's text and measurements allow, as read by code.

    ``labelled``: what its labels say is true of the person, and what the text says beyond them (a real post in
    despair behind a made-up profile); None without labels. For scoring only: no plan is ever written from it.
    ``named``: the foods in ``limits``, and ``limits_without_foods`` is these without what they ask for.
    ``conditions``: what code reads in the text, doubt included; their rules are in ``limits``.
    """

    limits: Limits
    labelled: tuple[str, ...] | None = None
    named: tuple[Named, ...] = ()
    limits_without_foods: Limits | None = None
    conditions: tuple[str, ...] = ()

    def where_tagged(self, is_food: Sequence[bool]) -> PlanContext:
        """The same, with a food counted only where a tagger says so of one of its pieces: it knows "orange" the colour.

        ``is_food``: by word piece. What the tagger could not read stays.
        """
        found = [n for n in self.named if not n.pieces or any(is_food[piece] for piece in n.pieces)]
        return (
            self
            if len(found) == len(self.named)
            else self._replace(limits=_with_foods(self.limits_without_foods, found))
        )


def read_context(
    text: str | None, measured: tuple[Measured, ...], facts: Facts | None = None, offsets: Offsets = ()
) -> PlanContext:
    """Read ``text`` (None = there is none) conservatively; what it leaves open counts as possible.

    Moves are those the guideline would choose for some activity: nobody who is silent on equipment or training is given
    any, and who has some is not sent back to push-ups. Foods that the text names must be limited or emphasised as the
    guidelines say, and cited; no other food may be cited, nor what calls for nothing (a calm voice).
    """
    said = read_text(text or "")
    means = {"equipment": said.equipment or "none", "level": said.level or "beginner"}
    entries = [GUIDELINES.constraints[name] for name in said.present if name in GUIDELINES.constraints]
    injured = {entry.joint for entry in entries if entry.joint}
    moves = tuple(move for activity in REGIONS for move in choose_moves(activity, injured=injured, **means))
    limits, named = limits_of(said.present), ()
    if not limits.is_referral_only:
        named = tuple(_named(text or "", offsets))
        limitable = tuple(food for food in LIMITABLE if food not in limits.required_limit) + limits.required_limit
        praised = tuple(food for food in limits.emphasise if food not in limitable)  # no food is both
        possible = {"emphasise": praised, "limit": limitable, "findings": CITABLE}
        limits = limits.both(Limits(moves=moves, measured=measured, **possible))
    labelled = None if facts is None else tuple(dict.fromkeys((*facts.constraints, *sorted(said.present))))
    return PlanContext(
        _with_foods(limits, named) if named else limits, labelled, named, limits, tuple(sorted(said.present))
    )


def _named(text: str, offsets: Offsets) -> Iterable[Named]:
    for mention in foods_in(text):
        pieces = [i for i, at in enumerate(offsets) if at and at[0] < mention.end and mention.start < at[1]]
        yield Named(mention.groups, tuple(pieces))


def _with_foods(limits: Limits, named: Iterable[Named]) -> Limits:
    """``limits`` with what the guidelines say of the foods named."""
    foods = cited_foods(food for mention in named for food in mention.foods)
    entries = [GUIDELINES.foods[food] for food in foods]
    room = MOST_LIMITED - len(limits.required_limit)  # what safety requires comes first
    limited = [food for entry in entries for food in entry.limit if food not in limits.required_limit]
    cited = foods if any(part.group == "text" for part in limits.measured) else ()
    return limits.model_copy(
        update={
            "required_limit": limits.required_limit + tuple(limited[:room]),
            "required_emphasise": tuple(f for entry in entries for f in entry.emphasise if f in limits.emphasise),
            "findings": limits.findings + cited,
            "required_findings": cited,
        }
    )
