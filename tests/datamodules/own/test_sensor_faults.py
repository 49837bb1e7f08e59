"""What a sensor wrote but did not measure is found, and honest peaks are not."""

import numpy as np

from datamodules.own.sensor_faults import FLAT_S, clipped, flat, look_clipped, look_flat


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


def test_a_pile_at_the_ends_looks_clipped_and_coarse_slow_or_switched_lines_do_not():
    sine = 1.5 * np.sin(np.linspace(0, 20 * np.pi, 2000))
    warming = np.round(np.linspace(33.0, 33.3, 240), 2)  # a minute of temperature in steps of 0.01: long plateaus
    assert look_clipped(sine.clip(-2, 1)[:, None])[0] == np.mean(sine >= 1)
    assert not look_clipped(np.stack([sine, np.round(sine, 1), np.sign(sine)], axis=1)).any()
    assert not look_clipped(warming[:, None]).any() and not look_clipped(np.full((9, 1), np.nan)).any()


def test_a_line_looks_flat_from_five_minutes_on_or_where_it_never_moves():
    noise = np.random.default_rng(0).normal(size=(4 * 900, 3))
    noise[: int(4 * FLAT_S) - 8, 0], noise[: 4 * 600, 1], noise[::2, 2] = 1.0, 2.0, np.nan
    np.testing.assert_allclose(look_flat(noise, rate_hz=4.0), [0, 2 / 3, 0])
    assert look_flat(np.full((60, 1), 3.0), rate_hz=4.0) == 1.0
    assert look_flat(np.full((9, 1), 5.4), rate_hz=1 / 900) == 0.0  # glucose: as long as it was equal by nature
