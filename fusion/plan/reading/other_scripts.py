"""Put English words in the place of words in other alphabets, or without spaces between them, and of pictures."""

from __future__ import annotations

import re
from functools import cache

from pydantic import BaseModel, ConfigDict

from fusion.plan.knowledge.loader import load_knowledge


class _Table(BaseModel):
    """other_scripts.yaml, typed: English words -> what means them in other scripts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anywhere: dict[str, tuple[str, ...]]
    alone: dict[str, tuple[str, ...]]


def in_english_words(text: str) -> str:
    """``text`` with everything that the table knows as its English words, between spaces; the rest as it was."""
    if text.isascii():
        return text
    pattern, english = _read()
    return pattern.sub(lambda match: f" {english[match[0].casefold()]} ", text)


@cache
def _read() -> tuple[re.Pattern[str], dict[str, str]]:
    """What finds everything that the table knows, the longest first; and the English words for each."""
    table = load_knowledge("other_scripts", _Table)
    patterns, english = {}, {}
    for words_of, form in [(table.anywhere, "{}"), (table.alone, r"(?<!\w){}(?!\w)")]:
        for english_words, foreign in words_of.items():
            for written in map(str.casefold, foreign):
                patterns[written], english[written] = form.format(re.escape(written)), english_words
    longest_first = sorted(patterns, key=len, reverse=True)
    return re.compile("|".join(patterns[written] for written in longest_first), re.IGNORECASE), english
