"""foods.yaml and what is found by it."""

from collections import Counter
from typing import get_args

import pytest
from pydantic import ValidationError

from fusion.plan.knowledge.foods import FoodMention, Lexicon, Tag, foods_in, load_lexicon, tag_of
from fusion.plan.schema import Food


def named(text: str) -> list[str]:
    return [found.text for found in foods_in(text)]


def test_every_entry_cites_a_source_and_every_source_is_cited():
    lexicon = load_lexicon()
    assert {cited for entry in lexicon.entries.values() for cited in entry.cite} == set(lexicon.sources)


def test_no_word_is_listed_twice():
    words = Counter(word for entry in load_lexicon().entries.values() for word in entry.words)
    assert len(words) > 1000
    assert [word for word, count in words.items() if count > 1] == []


def test_every_food_group_of_plans_and_every_tag_can_be_found():
    entries = load_lexicon().entries.values()
    assert {group for entry in entries for group in entry.groups} == set(get_args(Food))
    assert {entry.tag for entry in entries} == {None, *get_args(Tag)}


def test_every_listed_word_is_found_whole_as_its_own_entry():
    for entry in load_lexicon().entries.values():
        for word in entry.words:
            assert foods_in(f"Had {word}.") == [FoodMention(4, 4 + len(word), word, entry.groups, entry.tag)]


@pytest.mark.parametrize(
    ("text", "foods"),
    [
        ("two Apples, CHERRIES and tomatoes", ["Apples", "CHERRIES", "tomatoes"]),
        ("crème brûlée with jalapeños", ["crème brûlée", "jalapeños"]),
        ("a glass of milk and orange juice", ["glass of milk", "orange juice"]),  # the longest name
        ("one teaspoon baking soda", ["baking soda"]),
        ("shepherd’s pie", ["shepherd’s pie"]),
        ("peanut, butter", ["peanut", "butter"]),  # no name goes over a comma
        ("ice\ncream", ["cream"]),
        ("ice   cream", ["ice   cream"]),
        ("my pineapple-coloured phone case is egg-free", []),  # whole words only
        ("I eat candyfloss at the breadwinner's", []),
        ("", []),
        ("🍎 \u200b ½", []),
    ],
)
def test_names_are_whole_words_in_any_case_number_and_accent(text, foods):
    assert named(text) == foods


def test_a_mention_says_where_what_and_of_which_groups():
    text = "Drank coffee, then sushi."
    coffee, sushi = foods_in(text)
    assert (text[coffee.start : coffee.end], coffee.groups, coffee.tag) == ("coffee", ("caffeine",), "DRINK")
    assert (text[sushi.start : sushi.end], sushi.groups, sushi.tag) == ("sushi", ("fish", "raw_fish"), "DIN")


def test_what_is_listed_wins_over_a_plural_that_is_formed():
    assert tag_of("peppers") == "VEG" and tag_of("pepper") is None


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("boneless chicken breasts", "MEAT"),
        ("orange juice", "DRINK"),
        ("pepperoni pizza", "DIN"),
        ("olive oil", None),
        ("chicken, cut in cubes with salt", "MEAT"),
        ("gravel", None),
    ],
)
def test_the_tag_of_a_name_is_that_of_its_head(name, tag):
    assert tag_of(name) == tag


@pytest.mark.parametrize(
    "change",
    [{"groups": ["vegetable"]}, {"tag": "SOUP"}, {"cite": []}, {"words": []}, {"group": ["fruit"]}],
)
def test_a_misspelt_entry_is_refused(change):
    entry = {"tag": "VEG", "groups": ["vegetables"], "cite": ["fdc"], "words": ["leek"]}
    Lexicon.model_validate({"sources": {"fdc": "USDA"}, "entries": {"greens": entry}})
    with pytest.raises(ValidationError, match=f"entries.greens.{next(iter(change))}"):
        Lexicon.model_validate({"sources": {"fdc": "USDA"}, "entries": {"greens": {**entry, **change}}})


def test_hostile_text_is_read_in_linear_time():
    import time

    began = time.process_time()
    foods_in("apple " * 20_000)
    foods_in("-" * 200_000 + "a-" * 50_000)
    assert time.process_time() - began < 5
