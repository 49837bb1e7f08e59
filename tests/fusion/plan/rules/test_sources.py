"""Who stands behind a plan is read from the entries that made it, and claimed only where the plan says their value."""

from itertools import product

import pytest
from hypothesis import given, settings

from fusion.plan import Facts, Finding, guideline, sources, to_display
from fusion.plan.findings import NAMED_FOODS
from fusion.plan.language.display import TO_YEAR
from fusion.plan.rules.guidelines import CONSTRAINTS, GOALS, GUIDELINES, STATES, _StateEntry
from fusion.plan.rules.repair import repair
from fusion.plan.rules.safety import CONDITIONS, RULES, SAFETY
from fusion.plan.schema import Sleep
from tests.fusion.plan.language.test_plan_text import PLANS

SEEN = (
    Finding(group="signals", finding="raised_arousal", value=95, unit="bpm"),
    Finding(group="photo", finding="dessert"),
    Finding(group="audio", finding="snoring"),
)
FACTS = Facts(
    state="overloaded", goal="sleep_better", constraints=("knee_injury",), named_foods=("caffeine",), findings=SEEN
)
EVERY = ((), *((name,) for name in CONSTRAINTS))


def of(facts):
    return sources(guideline(facts), facts.state, facts.constraints)


def keys(found, section=None, cause=None):
    """The keys in the yaml of what was found."""
    by_text = {text: key for table in (SAFETY, GUIDELINES) for key, text in table.sources.items()}
    return {by_text[s.citation] for s in found if section in (None, s.section) and cause in (None, s.cause)}


def test_every_section_names_its_entry_and_that_entrys_source():
    found = of(FACTS)
    assert keys(found, "exercise", "sleep_better") == {"who_activity"}
    assert keys(found, "exercise", "overloaded") == {"overtraining"}
    assert keys(found, "exercise", "knee_injury") == keys(found, "safety", "knee_injury") == {"knee"}
    assert keys(found, "diet") == {"mediterranean", "dri_protein", "diet_sleep", "caffeine_sleep", "aha_diet"}
    assert keys(found, "sleep") == {"aasm_duration"} and keys(found, "stress") == {"journaling"}
    assert keys(found, "alerts") == {"aasm_duration", "tachycardia"}
    assert keys(found, "referral") == {"anxiety_screening", "aasm_apnea"}


def test_every_source_of_the_guidelines_stands_behind_some_plan():
    photos = ("heavy_meal", "lean_protein", "vegetable_meal")
    plans = [Facts(state=s, goal=g, findings=SEEN, constraints=c) for s, g in product(STATES, GOALS) for c in EVERY]
    plans += [Facts(state="balanced", goal="maintain", findings=(Finding(group="photo", finding=f),)) for f in photos]
    plans += [Facts(state="balanced", goal="maintain", named_foods=(food,)) for food in NAMED_FOODS]
    assert set.union(*(keys(of(facts)) for facts in plans)) >= set(GUIDELINES.sources)


def test_what_a_plan_says_otherwise_names_no_source():
    plan = guideline(FACTS).model_copy(update={"sleep": Sleep(hours=9, practice="screens_off"), "alerts": ()})
    found = sources(plan, "overloaded")
    assert not keys(found, "sleep") and not keys(found, "alerts") and keys(found, "stress") == {"journaling"}


def test_the_plan_of_another_state_is_not_credited_to_this_one():
    found = sources(guideline(FACTS), "balanced")
    assert keys(found, cause="balanced") == {"mediterranean"}  # the pattern is all they share
    assert "overloaded" not in {source.cause for source in sources(guideline(FACTS))}


def test_a_replaced_session_follows_its_goal_only_under_the_injury():
    facts = Facts(state="balanced", goal="maintain", constraints=("knee_injury", "back_injury"))
    assert keys(of(facts), "exercise", "maintain") == {"who_activity"}
    plan = guideline(facts)
    swum = plan.model_copy(update={"exercise": plan.exercise[:1]})  # swimming in place of running
    assert swum.exercise[0].activity == "swimming" and not keys(sources(swum, "balanced"), "exercise", "maintain")


def test_a_bound_is_cited_where_it_holds():
    """Low energy availability (Mountjoy et al. 2023) is why an overloaded person eats more than the goal says."""
    bound = Facts(state="overloaded", goal="lose_weight")
    assert {"energy_deficiency"} <= keys(of(bound), "diet") and "obesity_guideline" not in keys(of(bound))
    free = Facts(state="balanced", goal="lose_weight")
    assert "obesity_guideline" in keys(of(free), "diet", "lose_weight")


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_rule_that_a_plan_keeps_is_named_and_a_broken_one_is_not(condition):
    plan = guideline(Facts(state="balanced", goal="lose_weight"))
    safe = repair(plan, [condition])
    assert safe != plan
    named = {source.citation for source in sources(safe, conditions=[condition]) if source.section == "safety"}
    assert named == {SAFETY.sources[key] for key in RULES[condition].cite}
    assert not any(source.section == "safety" for source in sources(plan, conditions=[condition]))


@settings(max_examples=100, deadline=None)
@given(PLANS)
def test_any_plan_can_be_asked_and_no_section_that_says_nothing_is_explained(plan):
    found = sources(plan, "strained")
    assert len(found) == len(set(found))
    assert all(getattr(plan, source.section) for source in found)


def test_one_line_a_source_names_sections_and_causes():
    shown = to_display(guideline(FACTS), of(FACTS))
    lines = [line[10:] for line in shown.split("\nFollows")[1].splitlines()[1:-1]]
    assert "sleep, watch: Watson et al. (AASM/SRS), Sleep 2015 (overloaded, sleep better)" in lines
    assert "exercise, safety: Bannuru et al. (OARSI), Osteoarthritis Cartilage 2019 (knee injury)" in lines
    names = [line.split(": ")[1] for line in lines]
    assert len(names) == len(set(names))
    assert shown.endswith("\nNot medical advice.") and "Follows" not in to_display(guideline(FACTS))


@pytest.mark.parametrize(
    ("citation", "name"),
    [
        ("WHO guidelines on activity, 2020 (Bull et al., 2020;54:1451): some", "WHO guidelines on activity, 2020"),
        (
            "Dietary Guidelines for Americans 2020-2025, guideline 2: build",
            "Dietary Guidelines for Americans 2020-2025",
        ),
        ("AAOS OrthoInfo, Hip Strains: avoid what hurt in 2019", "AAOS OrthoInfo, Hip Strains"),
    ],
)
def test_a_source_is_named_up_to_its_year(citation, name):
    assert TO_YEAR.match(citation)[0] == name


def test_an_unknown_state_or_condition_is_named():
    plan = guideline(FACTS)
    with pytest.raises(ValueError, match="state 'happy' is unknown, expected None or one of balanced"):
        sources(plan, "happy")
    with pytest.raises(ValueError, match="condition 'flu' is unknown"):
        sources(plan, conditions=["flu"])


def test_an_entry_cites_its_own_fields_only():
    entry = GUIDELINES.states["balanced"].model_dump() | {"cite": {"sesions": ["who_activity"]}}
    with pytest.raises(ValueError, match=r"cite names \['sesions'\], which the entry does not have"):
        _StateEntry.model_validate(entry)
