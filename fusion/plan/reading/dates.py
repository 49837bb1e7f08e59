"""Tell what was so a year ago or longer from what was so lately, or at no known date.

Asks for plain evidence, as all of assertion.py: the words between what is said and its date are all known ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fusion.plan.reading.phrases import Vocabulary, compile_phrases, compile_words

LAST_YEAR_OVER = 2024  # over a year past for who reads in 2026; in later years one year more is asked about needlessly
YEAR = re.compile(
    r"\b(?:in|of|spring|summer|autumn|fall|winter|january|february|march|april|may|june|july|august|september|october"
    r"|november|december) ((?:19|20)\d\d)\b(?! ?(?:m|g|kg|km|kcal|steps|people|calories)\b)"
)
MONTHS = re.compile(r"(?<![\d.,/])(?:1[2-9]|[2-9]\d|1\d\d) months ago\b")
PAUSE = re.compile(r"[,:()\[\]\"—–]| - ")
REACH = 80  # characters between what is said and its date
SEGMENT_OVER = re.compile(r"\s*(?:$|[,:()\]])")  # "..., two years ago." and not "..., two years ago I moved"
ATTACHED = (["when"], ["while"])  # "I hurt my knee two years ago, when I was pregnant": the date is of both


class LongAgo:
    """The words of conditions.yaml that may part what is said from its date."""

    def __init__(self, words: Vocabulary):
        self.ago, self.past_verbs = compile_phrases(words.long_ago), compile_words(words.past_verbs)
        self.date_fillers, self.amounts = compile_words(words.date_fillers), compile_words(words.date_amounts)

    def was(self, clause: str, start: int, end: int) -> bool:
        """Whether what is at ``start`` to ``end`` of ``clause`` "was", a year ago or longer."""
        return self._is_dated_after(clause, start, end) or self._is_dated_before(clause, start)

    def _is_dated_after(self, clause: str, start: int, end: int) -> bool:
        first, last = next(self._dates(clause, end, end + REACH), (0, 0))
        between, *later = PAUSE.split(clause[end:first])
        words = between.split()
        if words[:1] in ATTACHED:  # "vitamins when I was pregnant two years ago"
            is_of_it = "pregnant" in words and all(map(self._is_past_filler, words))
        else:
            is_verb_first = bool(words) and bool(self.past_verbs.fullmatch(words[0]))
            is_of_it = all(map(self._is_date_filler, words[is_verb_first:]))
        if later:
            is_of_it &= all(map(self._is_amount, " ".join(later).split())) and bool(SEGMENT_OVER.match(clause, last))
        before = PAUSE.split(clause[max(0, start - REACH) : start])[-1].split()
        return last > 0 and is_of_it and self._says_was(before + words)

    def _is_dated_before(self, clause: str, start: int) -> bool:
        *_, (first, last) = ((0, 0), *self._dates(clause, max(0, start - REACH), start))
        head = PAUSE.split(clause[max(0, first - REACH) : first])[-1].split()
        between = re.sub(r"^\s*,", "", clause[last:start]).split()
        is_of_it = all(map(self._is_amount, head)) or between[:1] in ATTACHED
        return last > 0 and is_of_it and all(map(self._is_past_filler, between)) and self._says_was(between)

    def _dates(self, clause: str, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Where the dates a year or longer ago are."""
        found = [match.span() for pattern in (self.ago, MONTHS) for match in pattern.finditer(clause, first, last)]
        found += [match.span() for match in YEAR.finditer(clause, first, last) if int(match[1]) <= LAST_YEAR_OVER]
        yield from sorted(found)

    def _says_was(self, words: list[str]) -> bool:
        return any(map(self.past_verbs.fullmatch, words))

    def _is_past_filler(self, word: str) -> bool:
        is_of_past = word in ("i", "we", "when", "while") or bool(self.past_verbs.fullmatch(word))
        return is_of_past or self._is_date_filler(word)

    def _is_date_filler(self, word: str) -> bool:
        return bool(self.date_fillers.fullmatch(word)) or self._is_amount(word)

    def _is_amount(self, word: str) -> bool:
        return word.isdigit() or bool(self.amounts.fullmatch(word))
