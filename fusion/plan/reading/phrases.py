"""Compile the phrases of conditions.yaml: words in order, any ending (*), choices (|), up to five words between (...).

Every repetition is bounded, so that reading a text stays linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from fusion.plan.knowledge.loader import load_knowledge

GAP = r"(?:\W{1,3}[\w']{1,30}){0,5}?"
BETWEEN = r"\W{1,3}"  # words: a space, a hyphen, a slash


class _Typed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(_Typed):
    """What is hurt or eaten: ``names`` count with a harm or a reaction beside them, ``phrases`` are enough alone."""

    names: tuple[str, ...]
    phrases: tuple[str, ...]


class Sets(_Typed):
    """Words that turn a joint or a food into a condition."""

    harm: tuple[str, ...]
    close_harm: tuple[str, ...]
    chest_harm: tuple[str, ...]
    reaction: tuple[str, ...]


class Vocabulary(_Typed):
    """conditions.yaml, which says what each is for; a string is words, a list is phrases."""

    sets: Sets
    spelling: str
    misspelt: dict[str, str]
    not_misspelt: str
    erased: tuple[str, ...]
    others: str
    myself: str
    media: str
    about: str
    negations: str
    fillers: str
    past: tuple[str, ...]
    ended: tuple[str, ...]
    well: tuple[str, ...]
    ruled_out: tuple[str, ...]
    with_me: tuple[str, ...]
    mine_too: tuple[str, ...]
    babies: tuple[str, ...]
    baby_fillers: str
    nursed: str
    nursing: tuple[str, ...]
    temporary: str
    long_ago: tuple[str, ...]
    date_fillers: str
    date_amounts: str
    past_verbs: str
    again: str
    again_anywhere: tuple[str, ...]
    unsure: str
    joints: dict[str, Subject]
    foods: dict[str, Subject]
    other_allergens: str
    refused: tuple[str, ...]
    reacted: tuple[str, ...]
    conditions: dict[str, tuple[str, ...]]
    equipment: dict[str, tuple[str, ...]]
    level: dict[str, tuple[str, ...]]


def read_vocabulary() -> Vocabulary:
    """Read conditions.yaml."""
    return load_knowledge("conditions", Vocabulary)


def compile_phrases(phrases: Iterable[str]) -> re.Pattern[str]:
    """One pattern that finds any of ``phrases`` as whole words."""
    return re.compile("|".join(f"(?:{phrase_pattern(phrase)})" for phrase in phrases))


def compile_words(words: str) -> re.Pattern[str]:
    """One pattern that fits a whole word that is one of ``words``."""
    return re.compile("|".join(_word(word) for word in words.split()))


def phrase_pattern(phrase: str) -> str:
    """The regular expression of one phrase."""
    pattern, is_first = "", True
    for word in phrase.split():
        if word == "...":
            pattern += GAP
        elif word == "^":
            pattern += r"^\W*"
        elif word == "$":
            pattern += r"\W*$"
        else:
            choices = "|".join(_word(choice) for choice in word.split("|"))
            pattern += f"{'' if is_first else BETWEEN}(?:{choices})"
            is_first = False
    start = "" if phrase.startswith("^") else r"(?<![\w'])"
    return rf"{start}{pattern}(?!\w)"


def stems(phrase: str) -> set[str]:
    """How the first word of a phrase may begin, in at most four letters: a text without it cannot hold the phrase."""
    first = next(word for word in phrase.split() if word != "^")
    return {choice.rstrip("*")[:4] for choice in first.split("|")}


def _word(word: str) -> str:
    return re.escape(word.rstrip("*")) + (r"[\w']{0,15}" if word.endswith("*") else "")
