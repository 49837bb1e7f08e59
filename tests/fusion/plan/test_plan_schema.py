"""The bounds of plans: published here once, read from the schema everywhere else."""

import pytest
from pydantic import TypeAdapter, ValidationError

from fusion.plan import schema as s


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (s.TimesAWeek, range(1, 8)),
        (s.Minutes, range(5, 125, 5)),
        (s.EnergyChangeKcal, range(-1000, 1050, 50)),
        (s.ProteinGPerKg, [n / 10 for n in range(5, 31)]),
        (s.SleepHours, [n / 2 for n in range(10, 25)]),
        (s.SpanS, range(1, 1000)),
    ],
)
def test_the_numbers_of_a_quantity_are_those_that_the_text_of_plans_was_built_for(quantity, expected):
    """Another bound is another language: retrain the tokenizer and every model."""
    numbers = s.numbers_of(quantity)
    assert numbers == tuple(expected)
    for outside in (numbers[0] - 0.5, numbers[0] + 0.05, numbers[-1] + 0.5):
        with pytest.raises(ValidationError):
            TypeAdapter(quantity).validate_python(outside)


def test_lists_hold_as_many_items_as_the_text_of_plans_was_built_for():
    lists = [(s.Plan, "exercise"), (s.Plan, "alerts"), (s.Plan, "because"), (s.Session, "moves")]
    lists += [(s.Diet, "emphasise"), (s.Diet, "limit")]
    assert [s.most_items(part, field) for part, field in lists] == [3, 4, 8, 2, 4, 12]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(92.4, "bpm", 90), (92.6, "bpm", 95), (7.26, "h", 7.3), (110.04, "mg/dL", 110), (3.14, None, 3.1)],
)
def test_evidence_rounds_heart_rates_to_5_bpm_and_all_else_to_one_decimal(value, unit, expected):
    assert s.as_evidence(value, unit) == expected
