"""What code reads in a text narrows the plan, and the guideline's own plan for the same facts lies inside."""

from itertools import product

import pytest

from fusion.plan import Facts, guideline
from fusion.plan.context import read_context
from fusion.plan.rules.guidelines import CONSTRAINTS, GOALS, STATES
from fusion.plan.rules.limits import Measured
from fusion.plan.rules.repair import repair
from fusion.plan.rules.safety import check
from fusion.plan.schema import Diet, most_items

PHRASES = {
    "nut_allergy": "I am allergic to nuts.",
    "knee_injury": "I have a knee injury.",
    "pregnancy": "I am pregnant.",
    "beta_blocker": "I take a beta blocker.",
}


@pytest.mark.parametrize("constraint", PHRASES)
def test_the_guideline_keeps_what_the_text_asks_for(constraint):
    assert constraint in CONSTRAINTS
    limits = read_context(
        f"{PHRASES[constraint]} Had coffee and cake. I go to a gym. I am an experienced athlete.", ()
    ).limits
    for state, goal in product(STATES, GOALS):
        facts = Facts(
            state=state, goal=goal, constraints=(constraint,), equipment="gym", level="expert",
            named_foods=("sweets", "caffeine"),
        )  # fmt: skip
        assert limits.violations(guideline(facts).model_copy(update={"because": ()})) == []
    plain = guideline(Facts(state="balanced", goal="lose_weight", equipment="gym", level="expert"))
    assert limits.violations(plain)


def test_a_crisis_leaves_nothing_but_the_referral():
    limits = read_context("I want to kill myself. Had coffee.", ()).limits
    assert limits.is_referral_only and limits.required_limit == ()


def test_there_is_always_room_for_what_safety_requires():
    allergies = "I am allergic to nuts, milk, gluten, fish, shellfish, eggs and soy. I am pregnant. "
    limits = read_context(allergies + "Had wine, coffee, cake and fries.", ()).limits
    assert {"nuts", "dairy", "gluten"} <= set(limits.required_limit)
    assert len(limits.required_limit) <= most_items(Diet, "limit")


def test_no_food_may_be_emphasised_and_limited_at_once():
    for text in (None, "I am allergic to nuts. Had coffee."):
        limits = read_context(text, ()).limits
        assert set(limits.emphasise).isdisjoint(limits.limit)
        assert set(limits.required_limit) <= set(limits.limit)


TEXT = (Measured(group="text"),)
ORANGE = "An orange sky. I drank coffee."


def test_foods_named_are_required_and_cited_and_no_others_may_be():
    limits = read_context(ORANGE, TEXT).limits
    assert limits.required_limit == ("caffeine",) and limits.required_emphasise == ("fruit",)
    assert limits.required_findings == ("caffeine", "fruit")
    assert "sweets" not in limits.findings and "dessert" in limits.findings
    plan = guideline(Facts(state="balanced", goal="recover", named_foods=("fruit", "caffeine")))
    assert limits.violations(plan) == []
    assert read_context(None, TEXT).limits.violations(plan) == [
        "finding caffeine is not allowed",
        "finding fruit is not allowed",
    ]


def test_a_tagger_takes_back_what_it_does_not_find():
    offsets = [None, (0, 2), (3, 9), (10, 13), (13, 14), (15, 16), (17, 22), (23, 29), (29, 30), None]
    read = read_context(ORANGE, TEXT, offsets=offsets)
    assert [food.tokens for food in read.mentioned_foods] == [(2,), (7,)]
    heard = read.where_tagged([token == 7 for token in range(len(offsets))])
    assert heard.limits.required_findings == heard.limits.required_limit == ("caffeine",)
    assert heard.limits.required_emphasise == () and "fruit" not in heard.limits.findings
    assert read.where_tagged([True] * len(offsets)) == read
    assert read.where_tagged([False] * len(offsets)).limits == read_context("A sky.", TEXT).limits


def test_what_lies_beyond_the_tokens_that_a_tagger_reads_still_counts():
    assert read_context(ORANGE, TEXT, offsets=[None, (0, 2), None]).where_tagged([False] * 3).limits.required_findings


def test_nothing_forbidden_is_required():
    for text in (
        ORANGE,
        f"{ORANGE} I am allergic to nuts and fish. I am pregnant.",
        f"{ORANGE} I want to kill myself.",
    ):
        limits = read_context(text, TEXT).limits
        assert set(limits.required_emphasise) <= set(limits.emphasise)
        assert set(limits.required_findings) <= set(limits.findings)


def test_a_cry_for_help_that_no_label_knows_is_judged_as_one():
    facts = Facts(state="balanced", goal="maintain", constraints=("beta_blocker",))
    of_both = read_context("I take a beta blocker. I want to kill myself.", (), facts)
    assert of_both.conditions == ("beta_blocker", "suicidal_language")
    crisis = repair(guideline(facts), ("suicidal_language",))
    assert check(crisis, of_both.conditions) == []
    assert check(crisis, facts.constraints) != []  # alerts that a plan of help alone does not have
