"""What a sensor wrote but did not measure is found, and honest peaks are not."""

import numpy as np

from datamodules.sensor_faults import clipped, flat


def column(*values: float) -> np.ndarray:
    return np.array(values, float)[:, None]


def test_a_plateau_at_the_limit_is_clipped_and_a_peak_is_not():
    values = column(0, 2, 0, 2, 2, 2, 1, -2, -2, -2.5, 0)
    assert clipped(values, limits=(-2.0, 2.0))[:, 0].nonzero()[0].tolist() == [3, 4, 5, 7, 8, 9]


def test_without_a_range_the_recordings_own_ends_count():
    assert clipped(column(0, 3, 3, 3, 1), limits=None)[:, 0].tolist() == [False, True, True, True, False]
    assert not clipped(column(np.nan, np.nan), limits=None).any()
    assert not clipped(column(5, 5, 5, 5), limits=None).any()  # constant: flat, not clipped


def test_a_clipped_sine_is_found_where_it_was_cut():
    sine = 1.5 * np.sin(np.linspace(0, 20 * np.pi, 2000))[:, None]
    cut = sine.clip(-1, 1)
    np.testing.assert_array_equal(clipped(cut, limits=None), np.abs(sine) >= 1)


def test_a_line_that_lasts_is_flat_and_neighbouring_steps_are_two_lines():
    values = column(1, 1, 1, 1, 2, 2, 2, 3, np.nan, np.nan, np.nan, np.nan)
    assert flat(values, rate_hz=2.0, min_s=2.0)[:, 0].nonzero()[0].tolist() == [0, 1, 2, 3]


def test_channels_are_looked_at_apart():
    values = np.stack([np.zeros(8), np.arange(8)], axis=1)
    assert flat(values, rate_hz=1.0, min_s=4.0).any(axis=0).tolist() == [True, False]
