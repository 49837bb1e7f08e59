"""The published ranges: cited, used, and kept by every plan of the guidelines; every cited entry has its case."""

from itertools import pairwise, product
from typing import get_args

import pytest

from fusion.plan import Facts, Finding, guideline, to_display
from fusion.plan.findings import FINDINGS
from fusion.plan.knowledge.exercises import MOVES, Equipment, Level
from fusion.plan.knowledge.ranges import RANGES, Range, _Ranges
from fusion.plan.reading.extract import read_text
from fusion.plan.rules.guidelines import CONSTRAINTS, GOALS, GUIDELINES, STATES
from fusion.plan.rules.safety import RULES, limits_of
from fusion.plan.schema import Activity, Effort, Plan

AEROBIC = ("walking", "running", "cycling", "swimming")
STRENGTH = ("strength_training", "upper_body_strength", "lower_body_strength")
WEIGHT = {"light": 0, "moderate": 1, "vigorous": 2}


def plan(state="balanced", goal="maintain", **facts) -> Plan:
    return guideline(Facts(state=state, goal=goal, **facts))


EVERY = [plan(s, g, constraints=c) for s, g in product(STATES, GOALS) for c in ((), *((name,) for name in CONSTRAINTS))]


def minutes(made: Plan) -> int:
    """A week's moderate-equivalent minutes of endurance."""
    return sum(s.times * s.minutes * WEIGHT[s.effort] for s in made.exercise if s.activity in AEROBIC)


def strength_days(made: Plan) -> int:
    return sum(s.times for s in made.exercise if s.activity in STRENGTH)


def read(condition: str, text: str, numbers: range) -> list[int]:
    """The numbers that make a text say ``condition``."""
    return [n for n in numbers if condition in read_text(text.format(n)).present]


# State or goal -> why its plans may stay below the activity target (header of ranges.yaml).
BELOW_MINUTES = {
    "masked_strain": "builds up from moderate half hours", "strained": "light activity only",
    "overloaded": "reduced load restores (Meeusen et al. 2013)", "poor_sleep": "builds up from moderate half hours",
    "poor_fuelling": "low energy availability calls for less (Mountjoy et al. 2023)",
}  # fmt: skip
BELOW_STRENGTH = {"recover": "rest and stretching", "sleep_better": "yoga instead", "reduce_stress": "yoga instead"}

# Range -> the number of a plan, or of the code that reads texts, that it holds.
CASES = {
    "moderate_activity": [minutes(plan(s, g)) for s in STATES if s not in BELOW_MINUTES for g in GOALS],
    "strength_training": [strength_days(plan(s, g)) for s in STATES for g in GOALS if g not in BELOW_STRENGTH],
    "sleep": [made.sleep.hours for made in EVERY],
    "energy_deficit": [-made.diet.energy_change_kcal for made in EVERY],
    "protein": [made.diet.protein_g_per_kg for made in EVERY],
    "protein_to_gain_muscle": [plan(s, "gain_muscle").diet.protein_g_per_kg for s in STATES],
    "glucose": [a.value for a in plan(constraints=("insulin",)).alerts],
    "resting_heart_rate": [a.value for made in EVERY for a in made.alerts if a.signal == "resting_heart_rate"],
    "glucose_level_2": read("hypoglycaemia", "my glucose is {} mg/dl", range(30, 90)),
    "crisis_systolic": [
        *read("hypertension_crisis", "bp {}/70", range(100, 250)),
        *(a.value for a in RULES["hypertension_crisis"].limits.required_alerts),
    ],
    "crisis_diastolic": read("hypertension_crisis", "bp 170/{}", range(60, 160)),
    "stage_2_systolic": read("high_blood_pressure", "bp {}/70", range(100, 250)),
    "stage_2_diastolic": read("high_blood_pressure", "bp 130/{}", range(60, 130)),
    "body_mass_index": sorted(set(range(12, 25)) - set(read("underweight", "my bmi is {}", range(12, 25)))),
}


@pytest.mark.parametrize("name", CASES)
def test_plans_and_thresholds_lie_within_the_published_range(name):
    assert CASES[name] and all(RANGES[name].holds(value) for value in CASES[name]), CASES[name]


def test_texts_are_read_up_to_the_published_ends():
    for name in ("crisis_systolic", "crisis_diastolic", "stage_2_systolic", "stage_2_diastolic"):
        assert CASES[name][0] == RANGES[name].low, name
    assert (CASES["glucose_level_2"][-1], CASES["body_mass_index"][0]) == (53, 19)


def test_what_stays_below_an_activity_target_is_listed_with_its_reason_and_nobody_is_told_to_do_nothing():
    reached, strong = RANGES["moderate_activity"].holds, RANGES["strength_training"].holds
    assert {s for s in STATES if not all(reached(minutes(plan(s, g))) for g in GOALS)} == set(BELOW_MINUTES)
    assert {g for g in GOALS if not all(strong(strength_days(plan(s, g))) for s in STATES)} == set(BELOW_STRENGTH)
    assert all(made.exercise for made in EVERY)


def test_every_target_has_a_case_and_the_ends_count():
    zones = {f"{effort}_heart_rate" for effort in get_args(Effort)}
    categories = {"normal_systolic", "elevated_systolic", "stage_1_systolic"}
    assert set(RANGES) == set(CASES) | zones | categories
    assert Range(low=7, unit="h", cite="x").holds(7) and not Range(low=7, unit="h", cite="x").holds(6.9)
    with pytest.raises(ValueError, match=r"'idle'.*cited or listed, but not both"):
        _Ranges(ranges={}, sources={"idle": "nobody"})


def test_acsm_zones_and_acc_aha_categories_follow_each_other_without_overlap():
    for names in (
        [f"{effort}_heart_rate" for effort in get_args(Effort)],
        [f"{category}_systolic" for category in ("normal", "elevated", "stage_1", "stage_2", "crisis")],
    ):
        for below, above in pairwise(names):
            assert 0 <= RANGES[above].low - RANGES[below].high <= 1, (below, above)
    assert "76-95 % of maximum heart rate" in to_display(plan())


# ---- every cited entry of the guidelines has a plan that it changes ----


def entries() -> list[tuple[str, str]]:
    tables = ("goals", "states", "findings", "foods", "constraints", "activities")
    return [(table, name) for table in tables for name in getattr(GUIDELINES, table)]


@pytest.mark.parametrize(("table", "name"), entries())
def test_every_entry_is_cited_and_says_something_in_some_plan(table, name):
    entry = getattr(GUIDELINES, table)[name]
    cited = [key for keys in entry.cite.values() for key in keys]
    assert cited and all(len(GUIDELINES.sources[key]) > 20 for key in cited)
    if table == "activities":
        assert any(s.activity == name for made in EVERY for s in made.exercise)
        return
    groups = {finding: group for group, found in FINDINGS.items() for finding in found}
    changes = {
        "goals": {"goal": name},
        "states": {"state": name},
        "constraints": {"constraints": (name,)},
        "foods": {"named_foods": (name,)},
        "findings": {"findings": (Finding(group=groups.get(name, "text"), finding=name),)},
    }[table]
    plain = [Facts(state=s, goal=g) for s, g in product(STATES, GOALS)]
    assert any(guideline(facts) != guideline(facts.model_copy(update=changes)) for facts in plain)


def test_acsm_fitt_the_same_state_with_other_equipment_level_or_constraint_gets_another_plan():
    """Garber et al. 2011: exercise is prescribed to what a person has, can and may do."""
    base = plan(goal="gain_muscle")
    for change in ({"equipment": "gym"}, {"level": "intermediate"}, {"constraints": ("knee_injury",)}):
        assert plan(goal="gain_muscle", **change).exercise != base.exercise, change
    for equipment, level in product(get_args(Equipment), get_args(Level)):
        for session in plan(goal="gain_muscle", equipment=equipment, level=level).exercise:
            for move in session.moves:
                assert get_args(Equipment).index(MOVES[move].equipment) <= get_args(Equipment).index(equipment)
                assert get_args(Level).index(MOVES[move].level) <= get_args(Level).index(level)


@pytest.mark.parametrize("condition", RULES)
def test_every_rule_narrows_what_a_plan_may_hold(condition):
    assert limits_of([condition]) != limits_of([]), condition
    assert set(limits_of([condition]).activities) <= set(get_args(Activity))
