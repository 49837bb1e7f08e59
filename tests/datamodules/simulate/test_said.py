"""What simulated people write is read back: every constraint, nothing that they did not say."""

import pytest

from datamodules.simulate.diary import ASIDES, FOOD, MENTIONS, MOODS
from datamodules.simulate.profile import CONSTRAINTS, EQUIPMENT, GOALS, LEVELS
from fusion.plan.reading.extract import read_text

NOBODY = (frozenset(), frozenset(), frozenset())


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_every_phrasing_of_a_constraint_is_read_as_that_one_alone(constraint):
    for said in CONSTRAINTS[constraint]:
        assert read_text(said)[:2] == ({constraint}, set()), said


@pytest.mark.parametrize(("table", "slot"), [(EQUIPMENT, 3), (LEVELS, 4)])
def test_every_phrasing_of_equipment_and_level_is_read(table, slot):
    for name, phrasings in table.items():
        for said in phrasings:
            assert read_text(said)[:3] == NOBODY and read_text(said)[slot] == name, said


def test_moods_meals_asides_and_goals_say_nothing_of_conditions():
    meals = [mention.format_map({label: food}) for mention in MENTIONS for label in FOOD for food in FOOD[label]
             if mention.count("{") == 1 and f"{{{label}}}" in mention]  # fmt: skip
    assert len(meals) >= 30
    for said in [*sum(MOODS.values(), ()), *sum(GOALS.values(), ()), *ASIDES, *meals]:
        assert read_text(said) == (*NOBODY, None, None), said
