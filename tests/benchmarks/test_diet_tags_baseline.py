"""The humble taggers, on recipes whose scores are known by hand."""

import json

import pytest

from benchmarks.diet_tags_baseline import score
from datamodules.sets.tasteset import TastesetCohort
from datamodules.transforms.text import PrepareText

FOODS = ("orange juice", "bananas", "salt", "gravel")  # the lexicon tags no seasoning and knows no gravel


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tasteset").mkdir()
    recipes = []
    for i in range(100):
        food = FOODS[i % 4]
        text = f"2 cups {food}, {i} bowls"
        recipes.append({"id": i, "ingredients": text, "entities": [{"start": 7, "end": 7 + len(food), "type": "FOOD"}]})
    (tmp_path / "tasteset" / "recipes.jsonl").write_text("\n".join(map(json.dumps, recipes)))
    return tmp_path


def test_the_lexicon_finds_what_it_knows_and_the_word_tagger_what_it_has_seen(folder):
    cohort = TastesetCohort(data_dir=folder, tags="native", split=0)
    texts = [record.parts["text"].text for record in cohort.records("test")]
    known = sum("juice" in text or "bananas" in text for text in texts)
    assert 0 < known < len(texts)
    scores = score(cohort, PrepareText(weights="minilm", max_tokens=32))
    assert (scores["lexicon"]["precision"], scores["lexicon"]["recall"]) == pytest.approx((1, known / len(texts)))
    assert scores["word"]["f1"] == 1
