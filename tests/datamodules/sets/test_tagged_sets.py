"""The two food-entity sets: written tiny in their own layout, and read from the real files where they are."""

import os
from pathlib import Path

import numpy as np
import pytest

from datamodules.records import Span
from datamodules.sets.diet_spans import DIET, look_up, to_diet
from datamodules.sets.recipedb_ner import RecipeDBCohort
from datamodules.sets.tasteset import TastesetCohort
from tests.datamodules.tagged_sets import FOODS, WRITERS

REAL = os.environ.get("HEALTH_DATA_DIR")
needs_data = pytest.mark.skipif(REAL is None, reason="set HEALTH_DATA_DIR to the folder of the public sets")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Both sets, made up."""
    for name, write in WRITERS.items():
        write(tmp_path / name, np.random.default_rng(0))
    return tmp_path


def cohort(kind: type, root: Path, tags: str = "native", split: int = 0):
    site = {"site": "ar"} if kind is RecipeDBCohort else {}
    return kind(data_dir=root, tags=tags, split=split, **site)


def words(record) -> list[tuple[str, str]]:
    text = record.parts["text"].text
    return [(text[span.start : span.end], span.label) for span in record.targets["recipe_entities"]]


def test_tasteset_keeps_spans_as_they_are_or_names_the_foods(folder):
    native = {r.record_id: words(r) for r in cohort(TastesetCohort, folder).records("train")}
    assert {food for found in native.values() for food in found} == {(food, "FOOD") for food in FOODS}
    diet = {r.record_id: words(r) for r in cohort(TastesetCohort, folder, "diet").records("train")}
    assert list(diet) == list(native)
    for name, ((food, _),) in native.items():
        kind = FOODS[food][1]  # salt seasons, gravel is unknown
        assert diet[name] == ([(food, kind)] if kind else [])


def test_recipedb_joins_words_and_reads_runs_of_one_tag_as_one_entity(folder):
    record = cohort(RecipeDBCohort, folder).records("train")[0]
    number = record.parts["text"].text.split()[0]
    assert record.parts["text"].text == f"{number} dried green lentils , rinsed"
    assert words(record) == [(number, "QUANTITY"), ("dried", "DF"), ("green lentils", "NAME"), ("rinsed", "STATE")]
    assert words(cohort(RecipeDBCohort, folder, "diet").records("train")[0]) == [("green lentils", "VEG")]


@pytest.mark.parametrize("kind", [TastesetCohort, RecipeDBCohort])
def test_no_text_is_in_two_parts_and_test_parts_are_disjoint(folder, kind):
    tested = []
    for split in range(3):
        built = cohort(kind, folder, split=split)
        parts = {name: {r.parts["text"].text for r in built.records(name)} for name in ("train", "val", "test")}
        assert sum(map(len, parts.values())) == 100 == len(set().union(*parts.values()))
        tested.append(parts["test"])
    assert not tested[0] & tested[1] and not tested[1] & tested[2] and not tested[0] & tested[2]
    assert len({r.record_id for r in built.records("train")}) == len(built.records("train"))


def test_labels_are_bio_classes(folder):
    assert cohort(RecipeDBCohort, folder).targets["recipe_entities"].names[:3] == ("O", "B-NAME", "I-NAME")
    assert len(cohort(TastesetCohort, folder).targets["recipe_entities"].names) == 1 + 2 * 9
    assert cohort(TastesetCohort, folder, "diet").targets["recipe_entities"].names == DIET and len(DIET) == 11


def test_to_diet_and_look_up_agree_where_the_span_is_the_lexicons():
    text = "an apple, some salt and a glass of milk"
    found = look_up(text)
    assert [(text[s.start : s.end], s.label) for s in found] == [("apple", "FRUIT"), ("glass of milk", "DRINK")]
    as_food = [Span(s.start, s.end, "FOOD") for s in found]
    assert to_diet(text, [*as_food, Span(15, 19, "FOOD"), Span(0, 2, "UNIT")], food="FOOD") == found


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (TastesetCohort, {"tags": "all"}, "tasteset: tags is 'all', expected native or diet; set data.cohort.tags"),
        (RecipeDBCohort, {"tags": "diet", "site": "uk"}, "recipedb_ner: site is 'uk', expected one of"),
    ],
)
def test_unknown_settings_are_named(tmp_path, kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(data_dir=tmp_path, split=0, **settings)


@pytest.mark.parametrize("kind", [TastesetCohort, RecipeDBCohort])
def test_a_missing_set_or_file_is_named(tmp_path, kind):
    with pytest.raises(ValueError, match=f"{kind.name}: no folder '{kind.name}' in .*; set paths.data_dir"):
        cohort(kind, tmp_path).records("train")
    (tmp_path / kind.name).mkdir()
    with pytest.raises(
        ValueError, match=f"{kind.name}: no .*(recipes.jsonl|ar_train.tsv).*; (fetch the set again|set paths.data_dir)"
    ):
        cohort(kind, tmp_path).records("train")


@pytest.mark.parametrize("line", ["{", '{"id": 1, "ingredients": "tea"}', "[]"])
def test_a_broken_recipe_is_named_by_its_line(folder, line):
    path = folder / "tasteset" / "recipes.jsonl"
    path.write_text(path.read_text() + "\n" + line)
    with pytest.raises(ValueError, match=r"recipes.jsonl, line 101: \w+ .*expected a recipe as json with id"):
        cohort(TastesetCohort, folder).records("train")


@pytest.mark.parametrize("line", ["tea\tFOOD", "tea", "tea NAME"])
def test_a_broken_word_is_named_by_its_line(folder, line):
    path = folder / "recipedb_ner" / "ar_train.tsv"
    path.write_text(f"2\tQUANTITY\n{line}\n")
    with pytest.raises(ValueError, match=r"ar_train.tsv, line 2: .*expected a word, a tab and one of"):
        cohort(RecipeDBCohort, folder).records("train")


@needs_data
def test_the_real_files_hold_what_their_cards_say():
    tasteset = TastesetCohort(data_dir=REAL, tags="native", split=0)
    records = [r for part in ("train", "val", "test") for r in tasteset.records(part)]
    assert len(records) == 560
    recipedb = RecipeDBCohort(data_dir=REAL, site="ar_gk", tags="native", split=0)
    phrases = [r for part in ("train", "val", "test") for r in recipedb.records(part)]
    assert len(phrases) == 6612
    for record in records + phrases:  # every span is a whole word or more, with no space at either end
        assert all(word == word.strip() and word for word, _ in words(record))


@needs_data
def test_the_lexicon_knows_nine_foods_of_ten_in_recipes_it_was_not_fitted_to():
    from fusion.plan.knowledge.foods import foods_in

    tasteset = TastesetCohort(data_dir=REAL, tags="native", split=0)
    named = [word for record in tasteset.records("test") for word, label in words(record) if label == "FOOD"]
    assert sum(bool(foods_in(word)) for word in named) / len(named) > 0.9
