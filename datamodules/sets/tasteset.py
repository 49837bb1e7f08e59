"""Read TASTEset (Wroblewska et al. 2022): ingredient lists of recipes with their entities tagged."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from datamodules.records import Span
from datamodules.sets.layout import one_of
from datamodules.sets.tagged import Tagged, TaggedCohort


class TastesetCohort(TaggedCohort):
    """Ingredient lists of recipes in English, every entity tagged.

    Content: 700 recipes from recipe sites with 13,362 entities of nine types; 560 recipes here.
    Licence: MIT. Units: recipes, no people. Split: by text, 70/10/20 %; no official split, the authors use five folds.
    Published: best average entity F1 0.95, BERT, five folds (arXiv:2204.07775).
    Faults: a food's adjectives ("fresh", "large") are entities of their own.
    """

    name = "tasteset"
    unit = "recipe"
    entities = ("FOOD", "QUANTITY", "UNIT", "PROCESS", "PHYSICAL_QUALITY", "COLOR", "TASTE", "PURPOSE", "PART")
    food = "FOOD"
    val = 0.1

    def texts(self) -> Iterator[Tagged]:
        path = one_of(self.folder, "recipes.jsonl", "TASTEset.csv")
        for number, line in _recipes(path):
            try:
                recipe = json.loads(line)
                spans = [Span(entity["start"], entity["end"], entity["type"]) for entity in recipe["entities"]]
                yield Tagged(f"tasteset/{recipe['id']}", recipe["ingredients"], spans)
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{path}, line {number}: {type(error).__name__} {error}; expected a recipe as json with id, "
                    f"ingredients and entities"
                ) from error


def _recipes(path: Path) -> Iterator[tuple[int, str]]:
    """(line, recipe as json); the published table holds entities as json and is told in that form too."""
    if path.suffix == ".jsonl":
        yield from enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        return
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        for number, row in enumerate(rows):
            text, entities = json.dumps(row["ingredients"]), row["ingredients_entities"]
            yield rows.line_num, f'{{"id": {number}, "ingredients": {text}, "entities": {entities}}}'
