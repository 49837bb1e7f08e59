"""Protects: derived physiology is right, gaps stay gaps, scaling never happens silently, bad input is named."""

import neurokit2 as nk
import numpy as np
import pytest

from datamodules.records import Signal
from datamodules.transforms.derive import DERIVATIONS
from datamodules.transforms.signal import PrepareSignal


def prepare(**changes):
    settings = {"rate_hz": 4.0, "channels": ["a"], "unit": "x", "derive": "none", "baseline": "none"}
    return PrepareSignal(**settings | {"is_scaled": False} | changes)


def signal(values, **changes):
    settings = {"key": "set/item", "values": np.asarray(values, float), "rate_hz": 4.0, "unit": "x", "start_s": -180.0}
    return Signal(**settings | changes)


def derived(name, values, rate_hz, unit="x", channels=None, **changes):
    channels = channels or DERIVATIONS[name].channels
    part = signal(values, rate_hz=rate_hz, unit=unit, **changes)
    return prepare(derive=name, unit=unit, channels=channels)(part)


def test_heart_rate_of_a_simulated_pulse_is_within_3_bpm():
    pulse = nk.ppg_simulate(duration=180, sampling_rate=64, heart_rate=70, random_state=0)[:, None]
    values, valid, time_s = derived("heart_rate", pulse, 64.0)
    assert values.shape == (720, 3) and valid.mean() > 0.95
    assert np.median(values[valid, 0]) == pytest.approx(70, abs=3)
    assert time_s[0] == -180.0 and time_s[-1] == -0.25


def test_a_pulse_without_beats_is_absent_with_a_warning(caplog):
    values, valid, _ = derived("heart_rate", np.zeros((11520, 1)), 64.0)
    assert values.shape == (1, 3) and not valid.any()
    assert "set/item" in caplog.text


def test_a_gap_in_the_pulse_is_not_valid_and_leaves_the_rest():
    pulse = nk.ppg_simulate(duration=120, sampling_rate=64, heart_rate=70, random_state=0)[:, None]
    pulse[40 * 64 : 80 * 64] = np.nan
    values, valid, _ = derived("heart_rate", pulse, 64.0, channels=["heart_rate"])
    assert not valid[200:280].any() and valid[:150].all() and valid[330:].all()
    assert np.isfinite(values).all() and np.median(values[valid]) == pytest.approx(70, abs=3)


def test_conductance_responses_show_in_rate_and_phasic_part():
    calm = nk.eda_simulate(duration=180, sampling_rate=4, scr_number=1, random_state=0)[:, None]
    tense = nk.eda_simulate(duration=180, sampling_rate=4, scr_number=20, random_state=0)[:, None]
    low, high = (derived("eda_tonic_phasic", eda, 4.0).values.T for eda in (calm, tense))
    assert high[3].mean() > low[3].mean() + 1
    assert high[2].std() > 1.5 * low[2].std()


def test_temperature_slope_is_in_degrees_per_minute():
    degrees = 30 + 0.5 * np.arange(720)[:, None] / 240
    values = derived("temperature", degrees, 4.0).values
    np.testing.assert_allclose(values[100:-100, 1], 0.5, atol=1e-3)


def test_movement_ignores_how_the_hand_is_held():
    rng = np.random.default_rng(0)
    shake = 0.02 * rng.standard_normal((3200, 3))
    up, side = (derived("movement", shake + held, 32.0).values for held in ([0, 0, 1.0], [0.6, 0.8, 0]))
    np.testing.assert_allclose(up[10:-10], side[10:-10], atol=1e-4)
    still = derived("movement", np.tile([0, 0, 1.0], (3200, 1)), 32.0).values
    assert (up[10:-10] > still[10:-10] + 1).all()


def test_resampling_does_not_alias():
    time_s = np.arange(64 * 60) / 64
    slow, fast = np.sin(2 * np.pi * 0.5 * time_s), np.sin(2 * np.pi * 7.5 * time_s)
    values = prepare()(signal((slow + fast)[:, None], rate_hz=64.0)).values[8:-8, 0]
    np.testing.assert_allclose(values, slow[::16][8:-8], atol=0.02)


def test_a_missing_step_is_invalid_and_zero():
    values = np.ones((40, 1))
    values[10:20] = np.nan
    prepared = prepare()(signal(values))
    assert not prepared.valid[10:20].any() and prepared.valid.sum() == 30
    assert (prepared.values[~prepared.valid] == 0).all()


def test_a_channel_that_is_nan_throughout_makes_the_recording_absent(caplog):
    values = np.ones((40, 2))
    values[:, 1] = np.nan
    prepared = prepare(channels=["a", "b"])(signal(values))
    assert prepared.values.shape == (1, 2) and not prepared.valid.any()
    assert "'set/item': column [1] is NaN throughout" in caplog.text


def test_rest_reference_gives_value_change_median_and_spread():
    transform = prepare(baseline="rest_reference")
    reference = (np.full((40, 1), 4.0), np.full((40, 1), 6.0), np.full((40, 1), 6.0))
    prepared = transform(signal(np.full((40, 1), 9.0), reference=reference))
    assert transform.emitted == ("a", "a_change", "a_rest", "a_rest_spread")
    np.testing.assert_allclose(prepared.values[0], [9, 3, 6, 0])


def test_rest_reference_does_not_see_the_order_of_its_windows():
    rng = np.random.default_rng(0)
    windows = tuple(rng.standard_normal((40, 1)) for _ in range(4))
    transform = prepare(baseline="rest_reference")
    there, back = (transform(signal(np.ones((40, 1)), reference=r)).values for r in (windows, windows[::-1]))
    np.testing.assert_array_equal(there, back)


def test_scaling_is_learned_on_train_saved_and_taken_back():
    rng = np.random.default_rng(0)
    transform = prepare(is_scaled=True)
    train = [transform(signal(5 + 2 * rng.standard_normal((400, 1)))) for _ in range(5)]
    transform.fit(train)
    scaled = np.concatenate([transform.scale(p).values for p in train])
    low, middle, high = np.percentile(scaled, [25, 50, 75])
    assert (middle, high - low) == (pytest.approx(0, abs=1e-6), pytest.approx(1, abs=1e-6))
    other = prepare(is_scaled=True)
    other.load_state(transform.state())
    np.testing.assert_array_equal(other.scale(train[0]).values, transform.scale(train[0]).values)


def test_scaling_leaves_missing_steps_at_zero():
    values = np.arange(40.0)[:, None]
    values[5] = np.nan
    transform = prepare(is_scaled=True)
    prepared = transform(signal(values))
    transform.fit([prepared])
    assert transform.scale(prepared).values[5] == 0


def test_scaling_without_statistics_is_an_error():
    transform = prepare(is_scaled=True)
    with pytest.raises(ValueError, match=r"no statistics .*fit on the train split"):
        transform.scale(transform(signal(np.ones((40, 1)))))


def test_statistics_of_another_transform_are_refused():
    with pytest.raises(ValueError, match="belong to another"):
        prepare(is_scaled=True).load_state({"median": [0, 0], "spread": [1, 1]})


@pytest.mark.parametrize(
    ("changes", "part", "message"),
    [
        ({}, signal(np.ones((40, 3))), r"'set/item': values has shape \(40, 3\), expected .*1 channels"),
        ({}, signal(np.ones((0, 1))), r"'set/item': values has shape \(0, 1\)"),
        ({}, signal(np.ones((40, 1)), rate_hz=0.0), r"'set/item' has rate 0.0 Hz, expected > 0"),
        ({}, signal(np.ones((40, 1)), unit="mV"), r"'set/item' is in 'mV', expected 'x'"),
        ({"baseline": "rest_reference"}, signal(np.ones((40, 1))), r"no measured rest reference \(0 windows\)"),
    ],
)
def test_a_recording_that_does_not_fit_is_named(changes, part, message):
    with pytest.raises(ValueError, match=message):
        prepare(**changes)(part)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate_hz": 0.0}, "rate_hz is 0.0"),
        ({"derive": "mood"}, "derive is 'mood', expected none or one of"),
        ({"derive": "movement"}, r"channels are \['a'\], expected some of"),
        ({"baseline": "clock"}, "baseline is 'clock'"),
    ],
)
def test_settings_that_make_no_sense_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        prepare(**changes)
