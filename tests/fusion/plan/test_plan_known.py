"""What code reads in a text narrows the plan, and the guideline's own plan for the same facts lies inside."""

from itertools import product

import pytest

from fusion.plan import Facts, guideline
from fusion.plan.guidelines import CONSTRAINTS, GOALS, STATES
from fusion.plan.known import known

SAID = {
    "nut_allergy": "I am allergic to nuts.",
    "knee_injury": "I have a knee injury.",
    "pregnancy": "I am pregnant.",
    "beta_blocker": "I take a beta blocker.",
}


@pytest.mark.parametrize("constraint", SAID)
def test_the_guideline_keeps_what_the_text_asks_for(constraint):
    assert constraint in CONSTRAINTS
    limits = known(f"{SAID[constraint]} Had coffee and cake. I go to a gym. I am an experienced athlete.", ()).limits
    for state, goal in product(STATES, GOALS):
        facts = Facts(
            state=state, goal=goal, constraints=(constraint,), equipment="gym", level="expert",
            named_foods=("sweets", "caffeine"),
        )  # fmt: skip
        assert limits.violations(guideline(facts)) == []
    plain = guideline(Facts(state="balanced", goal="lose_weight", equipment="gym", level="expert"))
    assert limits.violations(plain)


def test_a_crisis_leaves_nothing_but_the_referral():
    limits = known("I want to kill myself. Had coffee.", ()).limits
    assert limits.is_referral_only and limits.required_limit == ()


def test_there_is_always_room_for_what_safety_requires():
    allergies = "I am allergic to nuts, milk, gluten, fish, shellfish, eggs and soy. I am pregnant. "
    limits = known(allergies + "Had wine, coffee, cake and fries.", ()).limits
    assert {"nuts", "dairy", "gluten"} <= set(limits.required_limit) and len(limits.required_limit) <= 12


def test_no_food_is_praised_and_limited_at_once():
    for text in (None, "I am allergic to nuts. Had coffee."):
        limits = known(text, ()).limits
        assert set(limits.emphasise).isdisjoint(limits.limit)
        assert set(limits.required_limit) <= set(limits.limit)
