"""Safety, refusals, evidence and numbers of single plans, counted by hand."""

import pytest

from fusion.plan import Facts, Finding, guideline
from fusion.plan.context import PlanContext
from fusion.plan.rules.limits import Limits, Measured
from fusion.plan.rules.safety import check
from fusion.plan.scoring.audit import Tally, audit

HEART_RATE = Finding(group="signals", finding="raised_arousal", value=90, unit="bpm", last_s=60)
DESSERT = Finding(group="photo", finding="dessert")
MEASURED = (Measured(group="signals", span_s=60, value=90, unit="bpm"), Measured(group="photo"))


def plan(*findings, goal="lose_weight", constraints=()):
    return guideline(Facts(state="balanced", goal=goal, constraints=constraints, findings=findings))


def context_of(*conditions, measured=MEASURED):
    return PlanContext(Limits(measured=measured), labelled_conditions=conditions)


REFERENCE = plan(HEART_RATE, DESSERT)


def test_the_same_plan_is_safe_true_and_without_error():
    rates = audit(REFERENCE, REFERENCE, context_of()).rates()
    errors = {name: value for name, value in rates.items() if name.startswith("error")}
    assert set(errors.values()) == {0} and len(errors) == 7
    shares = {name: value for name, value in rates.items() if not name.startswith("error")}
    assert shares == {
        "violations_per_1000": 0,
        "over_refusal": 0,
        "evidence_precision": 1,
        "evidence_recall": 1,
        "numeric_faithfulness": 1,
    }


def test_a_rule_of_the_labels_that_is_broken_is_counted():
    tally = audit(REFERENCE, plan(goal="maintain", constraints=("pregnancy",)), context_of("pregnancy"))
    assert tally.violations == len(check(REFERENCE, ("pregnancy",))) > 1
    assert tally.unsafe == 1 and tally.rates()["violations_per_1000"] == 1000 * tally.violations


def test_a_claim_the_reference_lacks_is_false_and_one_it_has_alone_is_missed():
    tally = audit(plan(DESSERT), plan(HEART_RATE), context_of())
    assert (tally.claims, tally.true_claims, tally.findings) == (1, 0, 1)


@pytest.mark.parametrize(
    ("claim", "is_true"),
    [
        ({}, True),
        ({"value": 95}, True),  # within the 5 bpm that plans round to
        ({"value": 100}, False),
        ({"unit": "h"}, False),
        ({"last_s": 61}, False),
    ],
)
def test_a_number_is_true_where_the_record_was_measured_to_have_it(claim, is_true):
    said = plan(HEART_RATE.model_copy(update=claim))
    tally = audit(said, REFERENCE, context_of())
    assert (tally.numbers, tally.true_numbers) == (1, is_true)


def test_a_claim_about_what_is_absent_is_not_true():
    assert audit(REFERENCE, REFERENCE, context_of(measured=())).true_numbers == 0


def test_sending_somebody_away_without_need_is_a_refusal():
    refused = REFERENCE.model_copy(update={"referral": "seek_care_now"})
    assert audit(refused, REFERENCE, context_of()).rates()["over_refusal"] == 1
    assert "over_refusal" not in audit(refused, refused, context_of()).rates()


def test_errors_are_in_the_units_of_the_plan():
    rates = audit(plan(goal="gain_muscle"), plan(goal="maintain"), context_of()).rates()
    assert rates["error_energy_kcal"] == 300 and rates["error_protein_g_per_kg"] == pytest.approx(0.8)
    assert rates["error_stress_min"] == 0
    assert rates["error_times_a_week"] == 1  # strength training, 3 times instead of 2


def test_heart_rates_are_compared_where_both_plans_cite_one_for_the_same_finding():
    faster = plan(HEART_RATE.model_copy(update={"value": 105}))
    assert audit(faster, plan(HEART_RATE), context_of()).rates()["error_heart_rate_bpm"] == 15
    assert "error_heart_rate_bpm" not in audit(plan(DESSERT), plan(HEART_RATE), context_of()).rates()


def test_a_text_that_does_not_parse_claims_nothing():
    assert audit(["no plan"], REFERENCE, context_of()) == Tally(plans=1, findings=2)


def test_tallies_add_up():
    one = audit(REFERENCE, REFERENCE, context_of())
    assert one.plus(one).claims == 2 * one.claims and one.plus(one).rates() == one.rates()
