"""Find the foods a text names, by the documented lexicon foods.yaml."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

from fusion.plan.knowledge.loader import load_knowledge

# The food groups of plans.
Food = Literal[
    "vegetables",
    "fruit",
    "legumes",
    "whole_grains",
    "gluten_free_grains",
    "fish",
    "shellfish",
    "poultry",
    "nuts",
    "seeds",
    "eggs",
    "dairy",
    "fortified_soy",
    "sweets",
    "fried_food",
    "salt",
    "caffeine",
    "alcohol",
    "raw_fish",
    "gluten",
]
Tag = Literal["DIN", "FRUIT", "VEG", "MEAT", "DRINK"]
WORD = re.compile(r"\w+(?:[-'’]\w+)*")


class FoodMention(NamedTuple):
    """Characters ``start`` to ``end`` name a food: the plan's food groups it belongs to, and its diet tag if any."""

    start: int
    end: int
    text: str
    groups: tuple[Food, ...]
    tag: Tag | None


class _Entry(BaseModel):
    """Words that share groups and tag, and who groups them so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: Tag | None
    groups: tuple[Food, ...]
    cite: tuple[str, ...] = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)


class Lexicon(BaseModel):
    """foods.yaml, typed: a misspelt group or key in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: dict[str, str]
    entries: dict[str, _Entry]


@cache
def load_lexicon() -> Lexicon:
    """Read foods.yaml."""
    return load_knowledge("foods", Lexicon)


def foods_in(text: str) -> list[FoodMention]:
    """Every food named in ``text``, left to right, the longest name first; seasonings too, with ``tag`` None.

    Names are whole words in any case, number and accent: "apples" but not "pineapple" or "egg-free". It reads words,
    not sense: what is said about the food ("no milk", "my sister loves cake") is not looked at.
    """
    names, longest = _names()
    words = list(WORD.finditer(text))
    plain = [_plain(word[0]) for word in words]
    found, first = [], 0
    while first < len(words):
        for last in range(min(first + longest, len(words)) - 1, first - 1, -1):
            entry = names.get(tuple(plain[first : last + 1]))
            start, end = words[first].start(), words[last].end()
            if entry is not None and _is_one_phrase(text, words[first : last + 1]):
                found.append(FoodMention(start, end, text[start:end], entry.groups, entry.tag))
                first = last
                break
        first += 1
    return found


def groups_in(text: str) -> tuple[Food, ...]:
    """Food groups of all foods named in ``text``, each once, in the order of the plan's vocabulary."""
    named = {group for mention in foods_in(text) for group in mention.groups}
    return tuple(group for group in get_args(Food) if group in named)


def tag_of(name: str) -> Tag | None:
    """The diet tag of one food's name: that of its head, which English puts last ("orange juice", "beef broth")."""
    found = foods_in(name.partition(",")[0])
    return found[-1].tag if found else None


@cache
def _names() -> tuple[dict[tuple[str, ...], _Entry], int]:
    """Words of every name, singular and plural, to its entry; and the number of words in the longest."""
    listed, formed = {}, {}
    for entry in load_lexicon().entries.values():
        for name in entry.words:
            *before, last = (_plain(word[0]) for word in WORD.finditer(name))
            listed[(*before, last)] = entry
            formed |= {(*before, plural): entry for plural in _plurals(last)}
    return formed | listed, max(map(len, listed))


def _plurals(word: str) -> Iterator[str]:
    """The regular plurals a word may have."""
    yield word + "s"
    if re.search(r"(s|x|z|ch|sh|o)$", word):
        yield word + "es"
    if re.search(r"[^aeiou]y$", word):
        yield word[:-1] + "ies"
    if word.endswith("f"):
        yield word[:-1] + "ves"


def _plain(word: str) -> str:
    """Lower case without accents, with the straight apostrophe."""
    letters = unicodedata.normalize("NFKD", word.replace("’", "'"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def _is_one_phrase(text: str, words: list[re.Match]) -> bool:
    """Only spaces between the words: "peanut, butter" is two foods, and so are two lines."""
    return all(text[a.end() : b.start()].strip(" \t\u00a0") == "" for a, b in pairwise(words))
