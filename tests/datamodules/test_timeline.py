"""Real clocks become a grid, and what was not measured is never made up."""

import numpy as np
import pytest

from datamodules.timeline import to_regular


def regular(time_s, values=None, **settings):
    values = np.asarray(time_s, float)[:, None] if values is None else np.asarray(values, float)
    return to_regular(
        np.asarray(time_s, float), values, **{"rate_hz": None, "max_gap_s": None, "is_sorting": False, **settings}
    )


def test_an_even_recording_is_left_as_it_is():
    time_s, values = np.arange(64) / 4, np.random.default_rng(0).normal(size=(64, 2))
    result = regular(time_s + 100, values)
    np.testing.assert_allclose(result.values, values)
    assert (result.rate_hz, result.start_s, result.num_gaps) == (4.0, 100.0, 0)


def test_a_drifting_clock_keeps_its_values_and_its_mean_rate():
    time_s = np.arange(1000) * 0.251 + np.random.default_rng(0).uniform(-0.01, 0.01, 1000)
    result = regular(time_s, time_s[:, None] ** 0 * np.arange(1000)[:, None])
    assert result.rate_hz == pytest.approx(1 / 0.251, rel=1e-3)
    np.testing.assert_allclose(result.values[:, 0], np.arange(1000), atol=0.1)


def test_a_gap_is_nan_exactly_where_nothing_was_measured():
    kept = np.r_[0:10, 20:30]
    result = regular(kept / 2.0)
    expected = np.where(np.isin(np.arange(30), kept), np.arange(30) / 2, np.nan)
    np.testing.assert_allclose(result.values[:, 0], expected)
    assert (result.num_gaps, result.longest_gap_s) == (1, 5.5)


def test_one_lost_sample_stays_lost_unless_a_longer_gap_is_allowed():
    time_s = np.delete(np.arange(10.0), 4)
    assert np.isnan(regular(time_s).values[4, 0])
    np.testing.assert_allclose(regular(time_s, max_gap_s=2.0).values[:, 0], np.arange(10.0))


def test_samples_at_any_times_are_joined_by_lines():
    time_s = np.sort(np.random.default_rng(0).uniform(0, 100, 400))
    result = regular(time_s, rate_hz=4.0, max_gap_s=5.0)
    inside = slice(20, -20)  # resampling rings at the ends
    grid_s = result.start_s + np.arange(len(result.values)) / 4.0
    np.testing.assert_allclose(result.values[inside, 0], grid_s[inside], atol=0.2)


def test_samples_of_one_instant_are_averaged_without_what_is_missing():
    result = regular([0, 1, 1, 2, 3], [[0, 1], [2, np.nan], [4, 5], [6, np.nan], [7, 7]])
    np.testing.assert_allclose(result.values, [[0, 1], [3, 5], [6, np.nan], [7, 7]])
    assert result.num_duplicates == 1


def test_a_missing_cell_is_not_imputed():
    result = regular(np.arange(5.0), [[0], [1], [np.nan], [3], [4]])
    np.testing.assert_allclose(result.values[:, 0], [0, 1, np.nan, 3, 4])


def test_a_lower_rate_is_anti_aliased():
    time_s = np.arange(0, 60, 1 / 64)
    fast = np.sin(2 * np.pi * 19 * time_s)[:, None]  # above the 4 Hz that a rate of 8 Hz can hold
    assert np.abs(regular(time_s, fast, rate_hz=8.0).values[8:-8]).max() < 0.05
    assert np.abs(fast[::8]).max() > 0.9  # plain picking would alias it to full height


def test_backward_time_is_an_error_and_sorted_only_when_asked():
    time_s = [0.0, 1, 2, 1.5, 3]
    with pytest.raises(ValueError, match=r"sample 3: time runs backward, 1.5 s after 2 s .*is_sorting"):
        regular(time_s)
    result = regular(time_s, max_gap_s=2.0, is_sorting=True)
    assert result.num_backward == 1
    assert np.isfinite(result.values).all() and (np.diff(result.values[:, 0]) > 0).all()


@pytest.mark.parametrize(
    ("time_s", "settings", "message"),
    [
        ([0, np.nan, 2], {}, r"sample 1: its time is nan"),
        ([3, 3, 3], {}, r"1 instant gives no rate"),
        ([0, 1, 2], {"rate_hz": -1.0}, r"rate is -1.0 Hz, expected > 0"),
        ([0, 0.01, 0.02, 3e8], {}, r"one timestamp is probably wrong"),
        ([0, 1], {"values": [1, 2]}, r"values have shape \(2,\), expected \(2 times, channels\)"),
    ],
)
def test_bad_times_are_named(time_s, settings, message):
    with pytest.raises(ValueError, match=message):
        regular(time_s, **settings)
