"""Slot scores against counts made by hand."""

import pytest

from fusion.plan import Facts, Finding, PlanScore, guideline, parse
from fusion.plan.scoring.score import SECTIONS, Counts, slot_counts, slots


def reference(heart_rate_bpm=90.0):
    return guideline(
        Facts(
            state="masked_strain",
            goal="lose_weight",
            findings=(
                Finding(group="signals", finding="raised_arousal", value=heart_rate_bpm, unit="bpm"),
                Finding(group="photo", finding="dessert"),
            ),
        )
    )


PLAN = reference()
# a session of 5 and one of 5 and 2 moves; pattern, energy, protein, vegetables, sweets and caffeine; an alert of 3;
# 2 findings and bpm
SIZES = {"goal": 1, "exercise": 12, "diet": 6, "sleep": 2, "stress": 2, "alerts": 3, "referral": 1, "because": 3}


def replace(**sections):
    return PLAN.model_copy(update=sections)


def test_a_plan_has_the_slots_counted_by_hand():
    assert {section: found.total() for section, found in slots(PLAN).items()} == SIZES


def test_the_same_plan_is_exact():
    assert slot_counts(PLAN, PLAN) == {section: Counts(size, 0, 0) for section, size in SIZES.items()}


@pytest.mark.parametrize("unparsed", [None, parse("goal"), []])
def test_a_plan_that_does_not_parse_misses_every_slot(unparsed):
    assert slot_counts(unparsed, PLAN) == {section: Counts(0, 0, size) for section, size in SIZES.items()}


def test_a_wrong_number_costs_one_slot_and_a_wrong_activity_all_of_its_own():
    walking, strength = PLAN.exercise
    slower = replace(exercise=(walking.model_copy(update={"minutes": 35}), strength))
    assert slot_counts(slower, PLAN)["exercise"] == Counts(11, 1, 1)
    swimming = replace(exercise=(walking.model_copy(update={"activity": "swimming"}), strength))
    assert slot_counts(swimming, PLAN)["exercise"] == Counts(7, 5, 5)


def test_a_slot_said_twice_counts_once():
    walking, _ = PLAN.exercise
    assert slot_counts(replace(exercise=(walking, walking)), PLAN)["exercise"] == Counts(5, 5, 7)


def test_a_section_left_out_is_missed_and_one_made_up_is_claimed():
    assert slot_counts(replace(alerts=()), PLAN)["alerts"] == Counts(0, 0, 3)
    assert slot_counts(PLAN, replace(alerts=()))["alerts"] == Counts(0, 3, 0)


@pytest.mark.parametrize(("heart_rate_bpm", "expected"), [(95, (3, 0, 0)), (85, (3, 0, 0)), (100, (2, 1, 1))])
def test_heart_rate_in_the_evidence_may_be_5_bpm_off(heart_rate_bpm, expected):
    assert slot_counts(reference(heart_rate_bpm), PLAN)["because"] == expected


def test_no_other_number_has_a_tolerance():
    (alert,) = PLAN.alerts
    assert slot_counts(replace(alerts=(alert.model_copy(update={"value": 99.0}),)), PLAN)["alerts"] == Counts(2, 1, 1)


def test_evidence_of_the_wrong_kind_is_wrong_in_name_and_number():
    rested = PLAN.because[0].model_copy(update={"finding": "resting_arousal"})
    assert slot_counts(replace(because=(rested, PLAN.because[1])), PLAN)["because"] == Counts(1, 2, 2)


def test_a_whole_set_is_scored_from_added_counts():
    """Three plans: exact, one diet slot wrong, unparsed; 30 slots each."""
    score = PlanScore()
    score.add(PLAN, PLAN)
    score.add(replace(diet=PLAN.diet.model_copy(update={"pattern": "mediterranean"})), PLAN)
    score.add(parse("not a plan"), PLAN)
    result = score.compute()
    tp, fp, fn = 30 + 29, 1, 1 + 30
    assert result["parse_rate"] == pytest.approx(2 / 3)
    assert result["exact_match"] == pytest.approx(1 / 3)
    assert result["slot_precision"] == pytest.approx(tp / (tp + fp))
    assert result["slot_recall"] == pytest.approx(tp / (tp + fn))
    assert result["slot_f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert result["slot_f1_diet"] == pytest.approx(2 * 11 / (2 * 11 + 1 + 7))
    assert result["slot_f1_goal"] == pytest.approx(2 * 2 / (2 * 2 + 0 + 1))
    assert (result["slot_precision_diet"], result["slot_recall_diet"]) == pytest.approx((11 / 12, 11 / 18))
    assert set(result) == {"parse_rate", "exact_match"} | {
        f"slot_{name}{of}" for name in ("precision", "recall", "f1") for of in ("", *(f"_{s}" for s in SECTIONS))
    }


def test_exact_means_every_slot_within_tolerance():
    score = PlanScore()
    score.add(reference(95), PLAN)
    score.add(reference(100), PLAN)
    assert score.compute()["exact_match"] == 0.5


def test_nothing_to_find_and_nothing_claimed_is_right_and_never_parsing_is_not_precise():
    score = PlanScore()
    score.add(replace(alerts=()), replace(alerts=()))
    assert score.compute()["slot_f1_alerts"] == 1
    silent = PlanScore()
    silent.add(None, PLAN)
    assert {silent.compute()[f"slot_{name}"] for name in ("precision", "recall", "f1")} == {0}


def test_a_score_of_no_plan_is_an_error():
    with pytest.raises(ValueError, match="PlanScore has seen no plan"):
        PlanScore().compute()
