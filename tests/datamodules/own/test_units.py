"""Declared units become the model's, or the error says why not."""

import numpy as np
import pytest

from datamodules.own.units import convert


@pytest.mark.parametrize(
    ("values", "unit", "to", "of", "expected"),
    [
        ([1.0], "g", "m/s2", "acc", [9.80665]),  # standard gravity, not a gram
        ([9.80665], "m/s2", "g", "acc", [1.0]),
        ([60.0], "bpm", "Hz", "heart_rate", [1.0]),
        ([36.6], "degC", "degF", "temperature", [97.88]),
        ([2500.0], "nS", "uS", "eda", [2.5]),
        ([5.5], "mmol/L", "mg/dL", "glucose", [99.0858]),
        ([99.0858], "mg/dL", "mmol/L", "glucose", [5.5]),
        ([1.5], "a.u.", "a.u.", "ppg", [1.5]),
    ],
)
def test_values_arrive_in_the_unit_asked_for(values, unit, to, of, expected):
    np.testing.assert_allclose(convert(np.array(values), unit, to, of=of), expected, rtol=1e-9)


def test_what_was_not_measured_stays_so():
    np.testing.assert_allclose(convert(np.array([[1.0, np.nan]]), "uS", "nS"), [[1000.0, np.nan]])


@pytest.mark.parametrize(
    ("unit", "to", "of", "message"),
    [
        ("kg", "g", "acc", r"'kg' cannot become 'g': they measure different things"),
        ("a.u.", "g", "acc", r"arbitrary units have no scale"),
        ("mmol/L", "mg/dL", "sodium", r"of 'sodium' none is known"),
        ("grams_force", "g", "acc", r"unit 'grams_force' is not known"),
        ("", "g", "acc", r"unit '' is not known \(it is empty\)"),
        ("uS/", "uS", "eda", r"unit 'uS/' is not known"),
        ("uS", "(S", "eda", r"unit '\(S' is not known"),
    ],
)
def test_a_wrong_unit_is_named(unit, to, of, message):
    with pytest.raises(ValueError, match=message):
        convert(np.ones(2), unit, to, of=of)
