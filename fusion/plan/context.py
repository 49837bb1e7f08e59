"""What plain code knows of a record before any model reads it: what decoding and verifying hold a plan to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fusion.plan.facts import Facts
from fusion.plan.findings import REMARKABLE
from fusion.plan.knowledge.exercises import LOWEST_LEVEL, NO_EQUIPMENT, REGIONS_OF_ACTIVITY, choose_moves
from fusion.plan.knowledge.foods import foods_in
from fusion.plan.reading.extract import WriterFacts, read_text
from fusion.plan.rules.guidelines import GUIDELINES, cited_foods
from fusion.plan.rules.limits import Limits, Measured
from fusion.plan.rules.safety import limits_of
from fusion.plan.schema import Diet, Food, most_items

_ENTRIES = [*GUIDELINES.states.values(), *GUIDELINES.findings.values(), *GUIDELINES.foods.values()]
LIMITABLE = tuple({food: None for entry in _ENTRIES for food in entry.limit})  # what some guideline limits in anybody

Offsets = Sequence[tuple[int, int] | None]  # characters of every token that a model reads, None for special ones


class MentionedFood(NamedTuple):
    """Food groups that one mention in the text belongs to, and the tokens it stands in (none: beyond the last)."""

    groups: tuple[Food, ...]
    tokens: tuple[int, ...]


class PlanContext(NamedTuple):
    """``limits``: what the record's text and measurements allow, as read by code.

    ``labelled_conditions``: what the labels say is true of the person, and what the text says beyond them (a real post
    in despair behind a made-up profile); None without labels. For scoring only: no plan is ever written from it.
    ``mentioned_foods``: the foods in ``limits``, and ``limits_without_foods`` is these without what they ask for.
    ``conditions``: what code reads in the text, doubt included; their rules are in ``limits``.
    """

    limits: Limits
    labelled_conditions: tuple[str, ...] | None = None
    mentioned_foods: tuple[MentionedFood, ...] = ()
    limits_without_foods: Limits | None = None
    conditions: tuple[str, ...] = ()

    def where_tagged(self, is_food: Sequence[bool]) -> PlanContext:
        """The same, with a food counted only where a tagger says so of one of its tokens: it knows "orange" the colour.

        ``is_food``: by token. What the tagger could not read stays.
        """
        kept = [food for food in self.mentioned_foods if not food.tokens or any(is_food[i] for i in food.tokens)]
        if len(kept) == len(self.mentioned_foods):
            return self
        return self._replace(limits=_with_foods(self.limits_without_foods, kept))


def read_context(
    text: str | None, measured: tuple[Measured, ...], facts: Facts | None = None, offsets: Offsets = ()
) -> PlanContext:
    """Read ``text`` (None = there is none) conservatively; what it leaves open counts as possible.

    Moves are those the guideline would choose for some activity: nobody who is silent on equipment or training is given
    any, and who has some is not sent back to push-ups. Foods that the text names must be limited or emphasised as the
    guidelines say, and cited. No other food may be cited, nor a finding that changes no plan (a calm voice).
    """
    writer = read_text(text or "")
    conditions = tuple(sorted(writer.present))
    limits, foods = limits_of(conditions), ()
    if not limits.is_referral_only:
        foods = tuple(_mentioned_foods(text or "", offsets))
        limitable = tuple(food for food in LIMITABLE if food not in limits.required_limit) + limits.required_limit
        emphasisable = tuple(food for food in limits.emphasise if food not in limitable)  # no food is both
        possible = {"emphasise": emphasisable, "limit": limitable, "findings": REMARKABLE}
        limits = limits.both(Limits(moves=_moves(writer), measured=measured, **possible))
    return PlanContext(
        limits=_with_foods(limits, foods) if foods else limits,
        labelled_conditions=None if facts is None else tuple(dict.fromkeys((*facts.constraints, *conditions))),
        mentioned_foods=foods,
        limits_without_foods=limits,
        conditions=conditions,
    )


def _moves(writer: WriterFacts) -> tuple[str, ...]:
    """What the guideline would choose for this equipment, level and injuries, over all activities."""
    entries = [GUIDELINES.constraints[name] for name in writer.present if name in GUIDELINES.constraints]
    person = {
        "equipment": writer.equipment or NO_EQUIPMENT,
        "level": writer.level or LOWEST_LEVEL,
        "injured": {entry.joint for entry in entries if entry.joint},
    }
    return tuple(move for activity in REGIONS_OF_ACTIVITY for move in choose_moves(activity, **person))


def _mentioned_foods(text: str, offsets: Offsets) -> Iterable[MentionedFood]:
    for mention in foods_in(text):
        tokens = [i for i, at in enumerate(offsets) if at and at[0] < mention.end and mention.start < at[1]]
        yield MentionedFood(mention.groups, tuple(tokens))


def _with_foods(limits: Limits, mentioned: Iterable[MentionedFood]) -> Limits:
    """``limits`` with what the guidelines say of the foods mentioned."""
    foods = cited_foods(food for mention in mentioned for food in mention.groups)
    entries = [GUIDELINES.foods[food] for food in foods]
    room = most_items(Diet, "limit") - len(limits.required_limit)  # what safety requires comes first
    limited = [food for entry in entries for food in entry.limit if food not in limits.required_limit]
    cited = foods if any(part.group == "text" for part in limits.measured) else ()
    return limits.model_copy(
        update={
            "required_limit": limits.required_limit + tuple(limited[:room]),
            "required_emphasise": tuple(
                food for entry in entries for food in entry.emphasise if food in limits.emphasise
            ),
            "findings": limits.findings + cited,
            "required_findings": cited,
        }
    )
