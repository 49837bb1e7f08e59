"""Safety rules: cited, agreed with the guidelines, each one bites, and repair changes as little as it takes."""

import random
from itertools import combinations, product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.plan import Facts, Finding, guideline
from fusion.plan.knowledge.exercises import MOVES, Equipment, Level
from fusion.plan.language.train_tokenizer import sample_plan
from fusion.plan.reading.extract import read_text
from fusion.plan.rules.guidelines import CONSTRAINTS, GOALS, GUIDELINES, STATES
from fusion.plan.rules.limits import NO_LIMITS, Limits
from fusion.plan.rules.repair import repair, repair_within
from fusion.plan.rules.safety import CONDITIONS, RULES, SAFETY, Rule, _Safety, check, limits_of
from fusion.plan.schema import Plan

HEART_RATE = Finding(group="signals", finding="raised_arousal", value=90, unit="bpm", last_s=60)
SEEN = (Finding(group="photo", finding="dessert"), HEART_RATE, Finding(group="audio", finding="snoring"))
ALLERGIES = [name for name in CONDITIONS if name.endswith(("allergy", "intolerance"))]

subsets = st.sets(st.sampled_from(CONDITIONS), max_size=6)


def plan(goal="maintain", **facts) -> Plan:
    return guideline(Facts(state="balanced", goal=goal, **facts))


# ---- the rules ----


def test_every_constraint_of_the_guidelines_has_a_rule_and_every_rule_a_citation_and_a_reason():
    assert set(CONSTRAINTS) <= set(CONDITIONS)
    assert all(rule.cite and rule.why.endswith(".") for rule in SAFETY.rules)


@pytest.mark.parametrize("constraints", [*(c for n in range(3) for c in combinations(CONSTRAINTS, n)), CONSTRAINTS])
def test_guidelines_break_no_rule_of_their_constraints(constraints):
    limits = limits_of(constraints)
    for state, goal, seen in product(STATES, GOALS, ((), SEEN)):
        facts = Facts(state=state, goal=goal, constraints=constraints, findings=seen)
        assert limits.violations(guideline(facts)) == [], facts


@settings(max_examples=500, deadline=None)
@given(
    st.builds(
        Facts,
        state=st.sampled_from(STATES),
        goal=st.sampled_from(GOALS),
        constraints=st.sets(st.sampled_from(CONSTRAINTS)).map(tuple),
        equipment=st.sampled_from(get_args(Equipment)),
        level=st.sampled_from(get_args(Level)),
        findings=st.sets(st.sampled_from(SEEN)).map(tuple),
    )
)
def test_guidelines_break_no_rule_with_any_equipment_level_and_number_of_constraints(facts):
    assert check(guideline(facts), facts.constraints) == []


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_rule_bites_and_says_who_says_so(condition):
    rng = random.Random(0)
    broken = [v for _ in range(50) for v in check(sample_plan(rng), [condition])]
    assert broken and {v.rule for v in broken} == {condition}
    assert all(SAFETY.sources[key] in broken[0].citation for key in RULES[condition].cite)


@pytest.mark.parametrize("joint", ["knee", "back", "shoulder"])
def test_an_injury_forbids_exactly_what_loads_the_joint(joint):
    limits = limits_of([f"{joint}_injury"])
    assert set(NO_LIMITS.activities) - set(limits.activities) == {
        name for name, entry in GUIDELINES.activities.items() if joint in entry.loads
    }
    assert set(NO_LIMITS.moves) - set(limits.moves) == {name for name, move in MOVES.items() if joint in move.loads}


def test_a_reading_of_stage_2_limits_salt_watches_the_pressure_and_asks_for_a_clinician():
    calm = guideline(Facts(state="poor_sleep", goal="maintain"))
    made = repair(calm, read_text("Slept badly. My blood pressure is 150/95.").present)
    assert "salt" in set(made.diet.limit) - set(calm.diet.limit) and made.referral == "discuss_with_clinician"
    assert [(a.signal, a.value, a.action) for a in made.alerts] == [("systolic_pressure", 180, "call_emergency")]
    assert made.exercise == calm.exercise and made.diet.pattern == calm.diet.pattern
    assert repair(calm, read_text("Slept badly. My blood pressure is 135/85.").present) == calm


@pytest.mark.parametrize("condition", ["hypertension_crisis", "chest_pain", "syncope"])
def test_who_needs_care_now_gets_no_exercise(condition):
    limits = limits_of([condition])
    assert limits.activities == () and limits.referrals == ("seek_care_now",)
    assert RULES[condition].severity == "urgent"


@pytest.mark.parametrize("condition", ["eating_disorder", "underweight"])
def test_nobody_thin_or_ill_with_eating_is_told_to_lose_weight(condition):
    limits = limits_of([condition])
    assert "lose_weight" not in limits.goals and limits.lowest_energy_kcal == 0
    assert "none" not in limits.referrals


def test_hypoglycaemia_is_urgent_and_forbids_vigorous_effort():
    limits = limits_of(["hypoglycaemia"])
    assert "vigorous" not in limits.efforts and limits.referrals == ("seek_care_now",)
    assert "eat_fast_carbs" in {alert.action for alert in limits.required_alerts}


def test_a_crisis_wins_over_every_other_condition():
    made = repair(plan(constraints=("insulin",), findings=SEEN), CONDITIONS)
    assert made.referral == "crisis_support_now" and made.exercise == made.alerts == made.because == ()
    assert made.diet is made.sleep is made.stress is None


def test_a_crisis_line_is_not_the_answer_to_chest_pain():
    assert check(plan().model_copy(update={"referral": "crisis_support_now", "exercise": ()}), ["chest_pain"])


def test_all_conditions_without_crisis_leave_room_for_a_plan():
    rest = set(CONDITIONS) - {"suicidal_language"}
    made = repair(plan("lose_weight", findings=SEEN), rest)
    assert made.diet.limit and set(limits_of(rest).required_limit) <= set(made.diet.limit)


def test_an_unknown_condition_is_named():
    with pytest.raises(ValueError, match=r"condition 'knee_injry' is unknown, .*knee_injury.*safety\.yaml"):
        limits_of(["knee_injry"])


def test_the_yaml_is_refused_when_it_cites_nobody_or_forgets_a_constraint():
    entries = {"rules": SAFETY.rules, "sources": SAFETY.sources}
    with pytest.raises(ValueError, match="'idle'"):
        _Safety(**entries | {"sources": {**SAFETY.sources, "idle": "nobody"}})
    one = SAFETY.rules[0]
    with pytest.raises(ValueError, match="expected one rule a condition"):
        _Safety(rules=(one,), sources={key: SAFETY.sources[key] for key in one.cite})
    with pytest.raises(ValueError, match="forbid"):
        Rule.model_validate({**one.model_dump(), "forbid": {"activities": ["flying"]}})


# ---- check and repair ----


@settings(max_examples=200, deadline=None)
@given(subsets, st.integers(0, 10**6))
def test_check_and_limits_agree(conditions, seed):
    made = sample_plan(random.Random(seed))
    assert bool(check(made, conditions)) == bool(limits_of(conditions).violations(made))


@settings(max_examples=300, deadline=None)
@given(subsets, st.integers(0, 10**6))
def test_repair_makes_any_plan_safe_once_and_for_all_and_leaves_a_safe_one_alone(conditions, seed):
    made = sample_plan(random.Random(seed))
    safe = repair(made, conditions)
    assert check(safe, conditions) == []
    assert repair(safe, conditions) == safe
    assert (safe != made) == bool(check(made, conditions))


@pytest.mark.parametrize("condition", ALLERGIES)
def test_repair_swaps_or_drops_the_allergen_and_touches_only_the_diet(condition):
    allergens = set(NO_LIMITS.emphasise) - set(limits_of([condition]).emphasise)
    diet = plan().diet.model_copy(update={"emphasise": ("fruit", *sorted(allergens))})
    made = plan().model_copy(update={"diet": diet})
    safe = repair(made, [condition])
    assert not allergens & set(safe.diet.emphasise) and "fruit" in safe.diet.emphasise
    assert safe.model_copy(update={"diet": made.diet}) == made


def test_repair_takes_what_the_guidelines_do_instead():
    made = plan("maintain")
    safe = repair(made, ["knee_injury"])
    assert [s.activity for s in safe.exercise] == ["cycling", "upper_body_strength"]
    assert safe.model_copy(update={"exercise": made.exercise}) == made
    nuts = repair(plan("reduce_stress"), ["nut_allergy"])
    assert nuts.diet == plan("reduce_stress", constraints=("nut_allergy",)).diet


def test_repair_takes_a_move_that_spares_the_joint_and_asks_for_no_more():
    made = plan("maintain", equipment="gym", level="expert")
    session = made.exercise[1].model_copy(update={"activity": "lower_body_strength", "moves": ("Dumbbell_Squat",)})
    safe = repair(made.model_copy(update={"exercise": (session,)}), ["wrist_injury", "ankle_injury"])
    (kept,) = safe.exercise
    assert all("knee" not in MOVES[m].loads and MOVES[m].equipment != "gym" for m in kept.moves)


def test_repair_within_drops_claims_that_nothing_measured_supports():
    made = plan(findings=SEEN)
    safe = repair_within(made, Limits(measured=()))
    assert made.because and safe == made.model_copy(update={"because": ()})


def test_repair_within_adds_what_is_required_and_drops_what_nobody_asks_for():
    diet = plan().diet.model_copy(update={"emphasise": ("legumes", "fish", "nuts", "eggs")})
    made = plan(findings=SEEN).model_copy(update={"diet": diet})
    limits = Limits(required_emphasise=("fruit",), required_findings=("caffeine",), findings=("caffeine", "snoring"))
    safe = repair_within(made, limits)
    assert safe.diet.emphasise == ("fruit", "legumes", "fish", "nuts")
    assert [claim.finding for claim in safe.because] == ["caffeine", "snoring"]
    assert safe.model_copy(update={"diet": made.diet, "because": made.because}) == made
    assert limits.violations(safe) == []
