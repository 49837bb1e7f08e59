"""Put English words in the place of words in other alphabets, or without spaces between them, and of pictures."""

from __future__ import annotations

import re
from functools import cache

from pydantic import BaseModel, ConfigDict

from fusion.plan.knowledge.loader import load_knowledge


class _Table(BaseModel):
    """signs.yaml, typed: English words -> the signs that mean them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anywhere: dict[str, tuple[str, ...]]
    alone: dict[str, tuple[str, ...]]


def replace_signs(text: str) -> str:
    """``text`` with every sign as its words between spaces; anything else as it was."""
    if text.isascii():
        return text
    pattern, words = _read()
    return pattern.sub(lambda match: f" {words[match[0].casefold()]} ", text)


@cache
def _read() -> tuple[re.Pattern[str], dict[str, str]]:
    table = load_knowledge("signs", _Table)
    pairs = [(table.anywhere, "{}"), (table.alone, r"(?<!\w){}(?!\w)")]
    found = {sign.casefold(): (words, edge) for said, edge in pairs for words, signs in said.items() for sign in signs}
    longest_first = sorted(found, key=len, reverse=True)
    pattern = "|".join(found[sign][1].format(re.escape(sign)) for sign in longest_first)
    return re.compile(pattern, re.IGNORECASE), {sign: words for sign, (words, _) in found.items()}
