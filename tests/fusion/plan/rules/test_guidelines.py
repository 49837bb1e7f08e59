"""What each guideline protects, over every state, goal and constraint."""

from itertools import combinations_with_replacement, product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.plan import Facts, Finding, guideline, parse, to_text
from fusion.plan.findings import GROUP_OF_FINDING, NAMED_FOODS
from fusion.plan.rules.guidelines import CONSTRAINTS, GOALS, GUIDELINES, STATES
from fusion.plan.schema import Activity, Effort

HEART_RATE = Finding(group="signals", finding="raised_arousal", value=92.4, unit="bpm")
SEEN = (Finding(group="photo", finding="dessert"), HEART_RATE, Finding(group="audio", finding="snoring"))


def plans(*constraints, findings=SEEN):
    """The plans of every state and goal under ``constraints``."""
    for state, goal in product(STATES, GOALS):
        yield guideline(Facts(state=state, goal=goal, constraints=constraints, findings=findings))


def activities(*constraints):
    return {session.activity for plan in plans(*constraints) for session in plan.exercise}


def plan(state="balanced", goal="maintain", **facts):
    return guideline(Facts(state=state, goal=goal, **facts))


# ---- the whole space ----


def test_the_vocabulary_is_the_one_the_cohorts_use():
    assert STATES == ("balanced", "masked_strain", "strained", "overloaded", "poor_sleep", "poor_fuelling")
    assert GOALS == ("lose_weight", "gain_muscle", "recover", "sleep_better", "reduce_stress", "maintain")
    assert set(CONSTRAINTS) == {
        *("knee_injury", "back_injury", "shoulder_injury", "nut_allergy", "dairy_allergy", "gluten_intolerance"),
        *("beta_blocker", "insulin", "pregnancy"),
    }
    assert set(GUIDELINES.findings) <= set(GROUP_OF_FINDING)
    assert set(GUIDELINES.activities) == set(get_args(Activity))


def test_every_state_goal_and_pair_of_constraints_gives_a_plan_that_parses_back():
    for pair in combinations_with_replacement(CONSTRAINTS, 2):
        for made in plans(*pair):
            assert parse(to_text(made)) == made


def test_states_and_goals_all_differ():
    """The state must be perceived and the goal read: no two of them share a plan."""
    assert len({to_text(made) for made in plans()}) == len(STATES) * len(GOALS)


def test_each_constraint_changes_some_plan():
    for constraint in CONSTRAINTS:
        assert set(plans(constraint)) != set(plans()), constraint


def test_every_entry_cites_a_known_source_and_no_source_is_idle():
    kinds = ("goals", "states", "findings", "foods", "constraints", "activities")
    tables = [getattr(GUIDELINES, kind) for kind in kinds]
    entries = [entry for table in tables for entry in table.values()]
    assert {key for entry in entries for keys in entry.cite.values() for key in keys} == set(GUIDELINES.sources)


CAUSES = {  # slot -> the causes that may move it
    "goal": {"goal"},
    "activity": {"goal", "constraints"},
    "dose": {"state", "goal", "constraints"},
    "gauge": {"goal", "constraints"},
    "pattern": {"state"},
    "energy": {"goal", "state", "constraints"},
    "protein": {"goal", "constraints"},
    "limit": {"state", "findings", "constraints"},
    "sleep": {"state"},
    "practice": {"state"},
    "stress_minutes": {"goal"},
    "alerts": {"goal", "findings", "constraints"},
    "referral": {"state", "findings", "constraints"},
    "because": {"findings"},
}


def slots_of(made):
    return {
        "goal": made.goal,
        "activity": [(s.activity, s.times) for s in made.exercise],
        "dose": [(s.minutes, s.effort) for s in made.exercise],
        "gauge": [s.gauge for s in made.exercise],
        "pattern": made.diet.pattern,
        "energy": made.diet.energy_change_kcal,
        "protein": made.diet.protein_g_per_kg,
        "limit": made.diet.limit,
        "sleep": made.sleep,
        "practice": made.stress.practice,
        "stress_minutes": made.stress.minutes_a_day,
        "alerts": made.alerts,
        "referral": made.referral,
        "because": made.because,
    }


FACTS = st.builds(
    Facts,
    state=st.sampled_from(STATES),
    goal=st.sampled_from(GOALS),
    constraints=st.lists(st.sampled_from(CONSTRAINTS), max_size=3).map(tuple),
    findings=st.lists(st.sampled_from(SEEN), unique=True).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(FACTS, FACTS, st.sampled_from(["state", "goal", "constraints", "findings"]))
def test_a_slot_moves_only_with_its_causes(facts, other, cause):
    changed = facts.model_copy(update={cause: getattr(other, cause)})
    before, after = slots_of(guideline(facts)), slots_of(guideline(changed))
    moved = {slot for slot in before if before[slot] != after[slot]}
    assert moved <= {slot for slot, causes in CAUSES.items() if cause in causes}


@settings(max_examples=50, deadline=None)
@given(FACTS, st.randoms())
def test_the_order_of_constraints_and_findings_does_not_matter(facts, random):
    constraints, findings = list(facts.constraints), list(facts.findings)
    random.shuffle(constraints)
    random.shuffle(findings)
    shuffled = facts.model_copy(update={"constraints": tuple(constraints), "findings": tuple(findings)})
    assert guideline(shuffled) == guideline(facts)


# ---- what each guideline protects ----


def test_who_2020_a_balanced_person_moves_enough():
    """150 min moderate or 75 min vigorous a week, aerobic only; ACSM 2009: at least 150 to lose weight."""
    aerobic = {"walking", "running", "cycling", "swimming"}
    for goal in GOALS:
        weight = {"light": 0, "moderate": 1, "vigorous": 2}
        sessions = [s for s in plan(goal=goal).exercise if s.activity in aerobic]
        assert sum(s.times * s.minutes * weight[s.effort] for s in sessions) >= 150, goal


def test_overtraining_consensus_an_overloaded_person_does_less():
    for goal in GOALS:
        for tired, well in zip(plan("overloaded", goal).exercise, plan("balanced", goal).exercise, strict=True):
            assert tired.minutes < well.minutes and tired.effort == "light"


def test_aasm_2015_nobody_sleeps_less_than_seven_hours():
    assert all(made.sleep.hours >= 7 for made in plans())


def test_obesity_guideline_and_reds_the_deficit_is_bounded():
    assert plan("balanced", "lose_weight").diet.energy_change_kcal == -500
    assert plan("overloaded", "lose_weight").diet.energy_change_kcal == -250
    assert min(made.diet.energy_change_kcal for made in plans()) == -500


def test_issn_2017_protein_to_gain_muscle_and_dri_2005_floor():
    assert 1.4 <= plan(goal="gain_muscle").diet.protein_g_per_kg <= 2.0
    assert all(made.diet.protein_g_per_kg >= 0.8 for made in plans())


def test_ada_2024_and_aha_2021_the_meal_decides_what_to_limit():
    assert "sweets" in plan(findings=(Finding(group="photo", finding="dessert"),)).diet.limit
    assert "fried_food" in plan(findings=(Finding(group="photo", finding="heavy_meal"),)).diet.limit
    assert plan().diet.limit == ("salt",)


def test_aasm_2017_snoring_is_discussed_with_a_clinician():
    assert plan("poor_sleep").referral == "none"
    assert plan("poor_sleep", findings=SEEN).referral == "discuss_with_clinician"


@pytest.mark.parametrize(
    ("constraint", "forbidden"),
    [
        ("knee_injury", {"running", "lower_body_strength", "strength_training", "yoga"}),
        ("back_injury", {"running", "cycling", "lower_body_strength", "upper_body_strength", "strength_training"}),
        ("shoulder_injury", {"swimming", "upper_body_strength", "strength_training", "yoga"}),
    ],
)
def test_oarsi_acp_aaos_an_injury_forbids_what_loads_the_joint(constraint, forbidden):
    assert activities() & forbidden
    assert not activities(constraint) & forbidden


def test_all_injuries_together_leave_something_to_do():
    loading = {name for name, entry in GUIDELINES.activities.items() if entry.loads}
    everything = [f"{joint}_injury" for joint in ("knee", "back", "shoulder")]
    assert activities(*everything) and not activities(*everything) & loading


@pytest.mark.parametrize(
    ("constraint", "food", "instead"),
    [
        ("nut_allergy", "nuts", "seeds"),
        ("dairy_allergy", "dairy", "fortified_soy"),
        ("gluten_intolerance", "whole_grains", "gluten_free_grains"),
    ],
)
def test_niaid_acg_an_allergen_is_limited_and_never_emphasised(constraint, food, instead):
    assert any(food in made.diet.emphasise for made in plans())
    assert not any(food in made.diet.emphasise for made in plans(constraint))
    assert any(instead in made.diet.emphasise for made in plans(constraint))
    assert all(GUIDELINES.constraints[constraint].avoid in made.diet.limit for made in plans(constraint))


def test_no_plan_emphasises_what_it_limits():
    for made in plans(*CONSTRAINTS):
        assert not set(made.diet.emphasise) & set(made.diet.limit)


def test_acsm_beta_blocker_no_heart_rate_zones_and_accha_slow_heart_alert():
    for made in plans("beta_blocker"):
        assert all(session.gauge == "rpe" for session in made.exercise)
        alerts = [a for a in made.alerts if a.signal == "resting_heart_rate"]
        assert [(a.direction, a.value) for a in alerts] == [("below", 50)]


def test_ada_insulin_comes_with_glucose_alerts_and_carbohydrate():
    for made in plans("insulin"):
        alerts = {(a.signal, a.direction, a.value, a.unit): a.action for a in made.alerts}
        assert alerts["glucose", "below", 70, "mg/dL"] == "eat_fast_carbs"
        assert alerts["glucose_before_exercise", "below", 90, "mg/dL"] == "eat_and_carry_carbs"
    assert not any(a.signal.startswith("glucose") for made in plans() for a in made.alerts)


def test_acog_pregnancy_no_deficit_no_vigorous_effort_no_alcohol():
    for made in plans("pregnancy"):
        efforts = get_args(Effort)
        assert all(efforts.index(s.effort) <= efforts.index("moderate") for s in made.exercise)
        assert all(s.gauge != "hr_zone" for s in made.exercise)
        assert made.diet.energy_change_kcal >= 0 and made.diet.protein_g_per_kg >= 1.1
        assert {"alcohol", "raw_fish"} <= set(made.diet.limit)
        assert made.referral == "discuss_with_clinician"


@pytest.mark.parametrize(
    ("named", "limited"),
    [("caffeine", True), ("sweets", True), ("fried_food", True), ("alcohol", True), ("fruit", False)],
)
def test_foods_named_in_the_text_are_limited_where_the_aha_or_sleep_research_says_so(named, limited):
    """Lichtenstein et al. 2021 (sugar, fried food, alcohol); Drake et al. 2013 (caffeine). Others are emphasised."""
    facts = Facts(state="poor_fuelling", goal="recover", named_foods=(named,))
    made, without = guideline(facts), guideline(facts.seen_by({"signals"}))
    assert (named in made.diet.limit) is limited
    assert (named in made.diet.emphasise) is not limited
    assert [(claim.group, claim.finding) for claim in made.because] == [("text", named)]
    assert named not in without.diet.limit and without.because == ()


def test_dga_2020_fruit_and_vegetables_that_a_person_names_come_before_other_advice():
    facts = Facts(state="poor_fuelling", goal="recover", named_foods=("fruit", "vegetables", "salt"))
    seen = (Finding(group="photo", finding="vegetable_meal"),)
    diet = guideline(facts.model_copy(update={"findings": seen})).diet
    assert diet.emphasise == ("vegetables", "fruit", "legumes", "fish")


def test_every_food_that_may_be_cited_has_a_guideline_and_only_four_are_cited():
    assert set(NAMED_FOODS) == set(GUIDELINES.foods)
    because = plan(findings=SEEN, named_foods=NAMED_FOODS[::-1]).because
    assert [claim.finding for claim in because][:4] == ["sweets", "fried_food", "caffeine", "alcohol"]
    assert len(because) == 4 + len(SEEN)
