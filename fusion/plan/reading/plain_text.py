"""Make any writing plain: lower case, no accents or invisible characters, near misspellings mended, in sentences.

Everything here is linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

from fusion.plan.reading.other_scripts import in_english_words

# Cyrillic and Greek letters that look Latin: writing "раin" hides a word from a reader of words, not from a person.
LOOKALIKES = str.maketrans("аеорсхуіѕјԁһкмтнвοαερτυν", "aeopcxyisjdhkmthboaeptuv")
QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "_": " "})
_AGES = (  # ages that matter, in words
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
    "zehn _ zwolf dreizehn vierzehn funfzehn sechzehn siebzehn",
    "diez _ doce trece catorce quince dieciseis diecisiete",
    "dix onze douze treize quatorze quinze _ dix-sept",
    "dieci undici dodici tredici quattordici quindici sedici diciassette",
)
NUMBERS = {word: str(10 + i) for words in _AGES for i, word in enumerate(words.split())}
LEET = str.maketrans("013457", "oieast")
REPLACED = {"Mn": "", "So": " "}  # accents, emoji
SPACED = re.compile(r"(?<!\w)(?:[^\W\d_][ .*-]){4,}[^\W\d_](?!\w)")  # "s u i c i d a l"
WORD = re.compile(r"\w+(?:'\w+)*")
ELISION = re.compile(r"\b([ld])'(?=[aeiouh])")  # l'insuline, d'anorexie
# A full stop between digits is a decimal. A line break ends a sentence where a line of some length is over and the next
# begins like one; else somebody's window was narrow.
SENTENCE_END = re.compile(
    r"[.!?;…。।؟]+(?=\D|$)|(?<=\D)[.!?;]+|\n\s{0,9}\n|(?<=[^\n]{12})\n(?=[ >*•–-]{0,9}[A-ZÀ-Þ])|\n(?=[>*•])"
)


def plain(text: str, spelling: Mapping[str, str]) -> Iterator[str]:
    """The sentences of ``text`` in plain lower case, each word as ``mend`` would have it."""
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    text = "".join(REPLACED.get(unicodedata.category(c), c) for c in in_english_words(text))
    text = SPACED.sub(lambda match: re.sub(r"\W", "", match[0]), text)
    for part in SENTENCE_END.split(text):
        if part and not part.isspace():
            yield WORD.sub(lambda m: mend(m[0], spelling), _letters(part))


def mend(word: str, spelling: Mapping[str, str]) -> str:
    """``word`` itself, or the one word of ``spelling`` that it misspells by a letter."""
    if word in NUMBERS:
        return NUMBERS[word]
    if not word.isalpha() and not word.isdigit():
        word = spelling.get(word.translate(LEET), word)
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
    return " ".join(ELISION.sub(r"\1 ", text.replace("can not", "cannot")).split())
