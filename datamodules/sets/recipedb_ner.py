"""Read the ingredient phrases of RecipeDB (Diwan et al. 2020) with every word tagged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from datamodules.records import Span
from datamodules.sets.layout import one_of, parts_there
from datamodules.sets.tagged import Tagged, TaggedCohort
from datamodules.tags import OUTSIDE

SITES = ("ar", "gk", "ar_gk")


class RecipeDBCohort(TaggedCohort):
    """Ingredient phrases of recipes in English, every word tagged. Cite it.

    ``site``: "ar" (AllRecipes), "gk" (Genius Kitchen) or "ar_gk" (both).

    Content: 6,612 phrases of seven types in the official train files, and 2,188 in the test files at its home.
    Licence: no licence file; public companion data of the paper (arXiv:2004.12184). Units: phrases, no people.
    Split: the official test part where SITE_test.tsv is there, and 10 % of the train part validate; else by phrase,
    65/10/25 %, the authors' own share of test. Phrases that share half of their word triples are one; train phrases
    like a test phrase are left out beside it.
    Published: on the official test, entity F1 0.955 (both sites), 0.968 (ar), 0.952 (gk).
    Faults: tags are not BIO, so neighbours of one type read as one entity, here as in the published scores.
    """

    name = "recipedb_ner"
    unit = "phrase"
    entities = ("NAME", "STATE", "UNIT", "QUANTITY", "SIZE", "TEMP", "DF")
    food = "NAME"
    test, val = 0.25, 0.1

    def __init__(self, *, data_dir: Path | str | None, site: str, tags: str, split: int, seed: int = 0) -> None:
        super().__init__(data_dir=data_dir, tags=tags, split=split, seed=seed)
        if site not in SITES:
            raise ValueError(f"recipedb_ner: site is {site!r}, expected one of {SITES}; set data.cohort.site")
        self.site = site

    def texts(self) -> Iterator[Tagged]:
        """Words of a phrase are joined by spaces; an entity is a run of one tag."""
        for official, part in parts_there(self.folder, f"{self.site}_test.tsv").items():
            path = one_of(self.folder, f"{self.site}_{official}.tsv")
            prefix = f"recipedb_ner/{self.site}" if part is None else f"recipedb_ner/{self.site}/{part}"
            for number, words in enumerate(_phrases(path, {OUTSIDE, *self.entities})):
                yield Tagged(f"{prefix}/{number}", *_join(words), part)


def _phrases(path: Path, known: set[str]) -> Iterator[list[tuple[str, str]]]:
    """(word, tag) of every phrase; a line without a word ends one."""
    words: list[tuple[str, str]] = []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], 1):
        word, _, tag = (part.strip() for part in line.partition("\t"))
        if word and tag not in known:
            raise ValueError(f"{path}, line {number}: {line!r}, expected a word, a tab and one of {sorted(known)}")
        if word:
            words.append((word, tag))
        elif words:
            yield words
            words = []


def _join(words: list[tuple[str, str]]) -> tuple[str, list[Span]]:
    text, spans = "", []
    for tag, run in groupby(words, key=lambda word: word[1]):
        start = len(text) + bool(text)
        text = " ".join([*([text] if text else []), *(word for word, _ in run)])
        spans += [Span(start, len(text), tag)] if tag != OUTSIDE else []
    return text, spans
