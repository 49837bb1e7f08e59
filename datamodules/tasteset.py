"""Read TASTEset (Wroblewska et al. 2022): ingredient lists of recipes with their entities tagged."""

from __future__ import annotations

import json
from collections.abc import Iterator

from datamodules.records import Span
from datamodules.tagged import TaggedCohort


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

    def texts(self) -> Iterator[tuple[str, str, list[Span]]]:
        path = self.folder / "recipes.jsonl"
        if not path.is_file():
            raise ValueError(f"tasteset: no {path}; fetch the set again or set paths.data_dir")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                recipe = json.loads(line)
                spans = [Span(entity["start"], entity["end"], entity["type"]) for entity in recipe["entities"]]
                yield f"tasteset/{recipe['id']}", recipe["ingredients"], spans
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{path}, line {number}: {type(error).__name__} {error}; expected a recipe as json with id, "
                    f"ingredients and entities"
                ) from error
