"""Tiny made-up copies of the two food-entity sets in their own file layout, for tests without the real data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FOODS = {  # food -> the rest of its line, and its kind
    "orange juice": ("5 ounces {}", "DRINK"),
    "bananas": ("2 ripe {}", "FRUIT"),
    "salt": ("1 pinch {}", None),
    "chicken breasts": ("boneless {}, cut", "MEAT"),
    "gravel": ("1 cup {}", None),
}


def write_tasteset(folder: Path, _: np.random.Generator) -> None:
    """100 recipes of one food each."""
    folder.mkdir(parents=True)
    recipes = []
    for i, food in enumerate([*FOODS] * 20):
        text = f"{FOODS[food][0].format(food)}\n{i} spoons\n"
        entity = {"start": text.index(food), "end": text.index(food) + len(food), "type": "FOOD", "entity": food}
        recipes.append({"id": 3 * i, "ingredients": text, "entities": [entity]})
    (folder / "recipes.jsonl").write_text("\n".join(map(json.dumps, recipes)))


def write_recipedb_ner(folder: Path, _: np.random.Generator) -> None:
    """200 phrases: 100, each of them twice."""
    folder.mkdir(parents=True)
    phrases = [f"{i}\tQUANTITY\ndried\tDF\ngreen\tNAME\nlentils\tNAME\n,\tO\nrinsed\tSTATE\n" for i in range(100)]
    for site in ("ar", "gk", "ar_gk"):
        (folder / f"{site}_train.tsv").write_text("\t\n" + "\t\n".join(phrases * 2))


WRITERS = {"tasteset": write_tasteset, "recipedb_ner": write_recipedb_ner}
