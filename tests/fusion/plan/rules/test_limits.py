"""Limits: a plan inside has no violation, every way out is named, and two limits allow what both allow."""

import random

import pytest

from fusion.plan import Facts, Finding, guideline
from fusion.plan.language.train_tokenizer import sample_plan
from fusion.plan.rules.limits import NO_LIMITS, Limits, Measured
from fusion.plan.schema import Alert, Evidence

HEART_RATE = Finding(group="signals", finding="raised_arousal", value=90, unit="bpm", last_s=60)
PLAN = guideline(Facts(state="balanced", goal="lose_weight", findings=(HEART_RATE,)))
CHEST = Alert(signal="resting_heart_rate", direction="above", value=120, unit="bpm", action="call_clinician")


def test_no_limits_allow_every_plan_of_the_schema():
    rng = random.Random(0)
    assert not any(NO_LIMITS.violations(sample_plan(rng)) for _ in range(200))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(goals=("maintain",)), "goal lose_weight is not allowed"),
        (Limits(activities=("swimming",)), "activity walking is not allowed"),
        (Limits(moves=()), "move Incline_Push-Up is not allowed"),
        (Limits(efforts=("light",)), "effort moderate is not allowed"),
        (Limits(gauges=("rpe",)), "gauge hr_zone is not allowed"),
        (Limits(lowest_energy_kcal=0), "energy -500 is outside 0 to 1000"),
        (Limits(lowest_protein_g_per_kg=1.3), "protein 1.2 is outside 1.3 to 3"),
        (Limits(emphasise=("fruit",)), "emphasised food vegetables is not allowed"),
        (Limits(limit=("nuts",)), "limited food salt is not allowed"),
        (Limits(required_limit=("nuts",)), "nuts is not limited"),
        (Limits(required_emphasise=("fruit",)), "fruit is not emphasised"),
        (Limits(required_findings=("caffeine",)), "caffeine is not cited"),
        (Limits(required_alerts=(CHEST,)), "alert resting_heart_rate above 120 is missing"),
        (Limits(referrals=("seek_care_now",)), "referral none is not allowed"),
        (Limits(is_referral_only=True), "exercise is said, where only a referral is allowed"),
        (Limits(findings=("snoring",)), "finding raised_arousal is not allowed"),
        (Limits(measured=()), "nothing measured shows signals raised_arousal"),
    ],
)
def test_every_way_out_is_named(limits, expected):
    assert expected in limits.violations(PLAN)


@pytest.mark.parametrize(
    ("claim", "is_supported"),
    [
        ({}, True),
        ({"value": 90, "unit": "bpm"}, True),
        ({"value": 95, "unit": "bpm"}, False),
        ({"value": 90, "unit": "h"}, False),
        ({"last_s": 60}, True),
        ({"last_s": 30}, True),
        ({"last_s": 61}, False),
    ],
)
def test_a_claim_needs_its_number_unit_and_span_measured(claim, is_supported):
    limits = Limits(measured=(Measured(group="signals", span_s=60, value=90, unit="bpm"),))
    assert limits.supports(Evidence(group="signals", finding="raised_arousal", **claim)) is is_supported
    assert not limits.supports(Evidence(group="audio", finding="snoring"))


def test_both_allows_what_each_of_two_allows():
    rng = random.Random(1)
    mine = Limits(efforts=("light", "moderate"), lowest_energy_kcal=-250, emphasise=("fruit", "nuts", "vegetables"))
    theirs = Limits(efforts=("moderate", "vigorous"), highest_energy_kcal=500, required_limit=("salt",))
    both = mine.both(theirs)
    assert both.efforts == ("moderate",) and both == mine.both(theirs) and mine.both(NO_LIMITS) == mine
    for plan in (sample_plan(rng) for _ in range(300)):
        assert bool(both.violations(plan)) == bool(mine.violations(plan) or theirs.violations(plan))


def test_limits_that_leave_no_plan_are_refused():
    with pytest.raises(ValueError, match=r"limits leave no plan: .*safety\.yaml"):
        Limits(referrals=("none",)).both(Limits(referrals=("seek_care_now",)))
