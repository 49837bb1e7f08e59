"""Read the ingredient phrases of RecipeDB (Diwan et al. 2020) with every word tagged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from datamodules.records import Span
from datamodules.tagged import TaggedCohort
from datamodules.tags import OUTSIDE

SITES = ("ar", "gk", "ar_gk")


class RecipeDBCohort(TaggedCohort):
    """Ingredient phrases of recipes in English, every word tagged. Cite it.

    ``site``: "ar" (AllRecipes), "gk" (Genius Kitchen) or "ar_gk" (both).

    Content: 6,612 phrases of seven types, the official train files; the official test is not read.
    Licence: no licence file; public companion data of the paper (arXiv:2004.12184). Units: phrases, no people.
    Split: by phrase, 65/10/25 %, the authors' own share of test.
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

    def texts(self) -> Iterator[tuple[str, str, list[Span]]]:
        """Words of a phrase are joined by spaces; an entity is a run of one tag."""
        path = self.folder / f"{self.site}_train.tsv"
        if not path.is_file():
            raise ValueError(f"recipedb_ner: no {path}; fetch the set again or set paths.data_dir")
        for number, words in enumerate(_phrases(path, {OUTSIDE, *self.entities})):
            yield f"recipedb_ner/{self.site}/{number}", *_join(words)


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
