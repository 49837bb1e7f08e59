"""Protects: a recording's statistics are those of its change from rest, and its levels stay readable."""

from dataclasses import replace

import numpy as np
import pytest

from datamodules.records import Signal
from datamodules.transforms.signal import PrepareSignal
from datamodules.transforms.signal_statistics import STATISTICS, PrepareStatistics

SETTINGS = dict(rate_hz=4.0, channels=["a", "b"], unit="x", derive="none", is_scaled=True)


def prepare(baseline: str = "rest_reference", kind: type = PrepareStatistics, **changes):
    return kind(**SETTINGS | {"baseline": baseline} | changes)


def signal(seed: int = 0, num: int = 720) -> Signal:
    generator = np.random.default_rng(seed)
    values, rest = generator.normal(3, 1, (num, 2)), generator.normal(1, 1, (720, 2))
    return Signal(key="s", values=values, rate_hz=4.0, unit="x", start_s=-num / 4, reference=(rest,))


def test_they_are_the_statistics_of_the_change_from_rest_behind_the_levels():
    values, valid, time_s = prepare()(signal())
    series = prepare(kind=PrepareSignal)(signal()).values
    level, change = series[:, :2], series[:, 2:4]
    expected = [level.mean(0), change.mean(0), change.std(0), *np.percentile(change, [10, 90], axis=0)]
    expected.append(np.abs(np.diff(change, axis=0)).mean(0))
    np.testing.assert_allclose(values[0], np.concatenate(expected), rtol=1e-4)
    assert valid.tolist() == [True] and time_s[0] == pytest.approx(-90, abs=0.2)
    assert len(prepare().emitted) == values.shape[1] and prepare().emitted[0] == "a_level"


def test_steps_that_were_not_measured_do_not_count():
    part = signal()
    with_hole = part.values.copy()
    with_hole[100:200] = np.nan
    holes = prepare()(replace(part, values=with_hole))
    kept = prepare(kind=PrepareSignal)(part).values[:, 2:4]
    kept = np.concatenate([kept[:100], kept[200:]])
    np.testing.assert_allclose(holes.values[0, 2:4], kept.mean(0), rtol=1e-4)


def test_without_a_baseline_they_are_those_of_the_channels_themselves():
    values, _, _ = prepare("none")(signal())
    np.testing.assert_allclose(values[0, :2], values[0, 2:4], rtol=1e-6)
    assert len(values[0]) == 2 * (1 + len(STATISTICS))


def test_a_recording_without_a_valid_step_is_absent():
    values, valid, _ = prepare()(replace(signal(), values=np.full((720, 2), np.nan)))
    assert not valid.any() and values.shape == (1, 12)


def test_one_step_has_no_pair_and_a_step_of_zero():
    values, valid, _ = prepare("none")(signal(num=1))
    assert valid.all() and not values[0, -2:].any()


def test_statistics_are_scaled_by_those_of_the_train_split():
    one = prepare()
    prepared = [one(signal(seed)) for seed in range(40)]
    one.fit(prepared)
    scaled = np.concatenate([one.scale(p).values for p in prepared])
    np.testing.assert_allclose(np.median(scaled, axis=0), 0, atol=1e-5)
