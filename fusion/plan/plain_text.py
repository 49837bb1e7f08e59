"""Make any writing plain: lower case, no accents or invisible characters, near misspellings mended, in sentences.

Everything here is linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

# Cyrillic and Greek letters that look Latin: writing "раin" hides a word from a reader of words, not from a person.
LOOKALIKES = str.maketrans("аеорсхуіѕјԁһкмтнвοαερτυν", "aeopcxyisjdhkmthboaeptuv")
QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "_": " "})
NUMBERS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
)  # ages that matter, in words
SIGNS = {"🤰": " pregnant ", "🫃": " pregnant ", "🤱": " "}
WORD = re.compile(r"\w+(?:'\w+)*")
# A full stop between digits is a decimal. A line break ends a sentence where a line of some length is over and the next
# begins like one; else somebody's window was narrow.
SENTENCE_END = re.compile(
    r"[.!?;…]+(?=\D|$)|(?<=\D)[.!?;]+|\n\s{0,9}\n|(?<=[^\n]{12})\n(?=[ >*•–-]{0,9}[A-ZÀ-Þ])|\n(?=[>*•])"
)


def plain(text: str, spelling: Mapping[str, str]) -> Iterator[str]:
    """The sentences of ``text`` in plain lower case, each word as ``mend`` would have it."""
    text = unicodedata.normalize("NFKC", text)
    for sign, words in SIGNS.items():
        text = text.replace(sign, words)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Mn") or c == "\n")
    for part in SENTENCE_END.split(text):
        if part and not part.isspace():
            yield WORD.sub(lambda m: mend(m[0], spelling), _letters(part))


def mend(word: str, spelling: Mapping[str, str]) -> str:
    """``word`` itself, or the one word of ``spelling`` that it misspells by a letter."""
    if word in NUMBERS:
        return str(10 + NUMBERS.index(word))
    if len(word) < 4 or len(word) > 20:
        return word
    return next((spelling[form] for form in (word, *shorter(word)) if form in spelling), word)


def spellings(words: str, misspelt: Mapping[str, str], real: str) -> dict[str, str]:
    """Every form a letter off one of ``words`` -> the word: a lookup by deletions (symmetric delete, Garbe 2012)."""
    forms = {form: word for word in words.split() for form in shorter(word)}
    forms |= {word: word for word in words.split()}
    return forms | dict(misspelt) | {word: word for word in real.split()}


@cache
def shorter(word: str) -> tuple[str, ...]:
    """``word`` with each of its letters left out."""
    return tuple(word[:i] + word[i + 1 :] for i in range(len(word)))


def _letters(text: str) -> str:
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = text.casefold().translate(LOOKALIKES).translate(QUOTES)
    return " ".join(text.replace("can not", "cannot").split())
