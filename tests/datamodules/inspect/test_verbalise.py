"""What is said of a signal is true of it, at every level, and always the same."""

import subprocess
import sys

import numpy as np
import pytest

from datamodules.inspect.verbalise import find_meanings, verbalise
from datamodules.records import Signal


def signal(values, unit="bpm", rate_hz=1.0):
    values = np.asarray(values, float).reshape(len(values), -1)
    return Signal(key="x", values=values, rate_hz=rate_hz, unit=unit, start_s=-len(values) / rate_hz)


def test_statistics_are_those_of_what_was_measured():
    values = np.r_[np.full(30, np.nan), np.tile([60.0, 80.0], 45)]
    said = verbalise({"heart_rate": signal(values)}, level="statistics")
    assert said == (
        "heart_rate (bpm): 2 min at 1 Hz, 75% measured, mean 70, standard deviation 10, median 70, from 60 to 80 in "
        "nine of ten samples."
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.linspace(1, 2, 300), "rising by 0.67"),
        (np.linspace(2, 1, 300), "falling by 0.67"),
        (np.sin(np.arange(300)), "steady"),
        (np.r_[np.ones(100), np.full(60, np.nan), np.ones(140)], "1 gap, the longest 60 s"),
        (np.r_[np.zeros(100), 9 * np.hanning(60), np.zeros(140)], "one peak, at 8.9"),
        (np.r_[np.zeros(100), 9 * np.hanning(60), np.zeros(140)], "2.83 min before the end"),
    ],
)
def test_structure_names_trend_gaps_and_peaks(values, words):
    said = verbalise({"eda": signal(values, "uS")}, level="structure")
    assert words in said, said
    assert words not in verbalise({"eda": signal(values, "uS")}, level="statistics")


def test_meaning_has_threshold_unit_time_and_source():
    said = verbalise({"heart_rate": signal(np.r_[np.full(300, 80), np.full(300, 110.5)])}, level="meaning")
    assert (
        "heart_rate was above 100 bpm for 5 min (50% of what was measured, at most 110.5): tachycardia if at rest "
        "[AHA, adult resting heart rate 60 to 100 bpm]." in said
    )


def test_meaning_does_not_depend_on_the_unit():
    mmol = signal(np.full(8, 3.5), "mmol/L", 1 / 900)
    mgdl = signal(np.full(8, 3.5 * 18.0156), "mg/dL", 1 / 900)
    one, other = (verbalise({"glucose": s}, level="meaning").splitlines()[1] for s in (mmol, mgdl))
    assert one == other and "below 70 mg/dL for 2 h" in one and "hypoglycaemia" in one
    assert [m.threshold for m in find_meanings("glucose", mmol)] == [70]
    assert [m.threshold for m in find_meanings("glucose", signal(np.full(8, 50), "mg/dL", 1 / 900))] == [54, 70]


def test_a_short_or_unmeasured_excursion_means_nothing():
    assert find_meanings("heart_rate", signal(np.r_[np.full(300, 80), np.full(30, 150)])) == []
    assert find_meanings("heart_rate", signal(np.full(300, np.nan))) == []
    said = verbalise({"heart_rate": signal(np.r_[np.full(300, 80), np.full(100, 50.0)][:330])}, level="meaning")
    assert said.endswith("heart_rate was within 60 to 100 bpm for 91% of what was measured.")


def test_a_signal_without_known_meanings_gets_none():
    assert verbalise({"eda": signal(np.ones(50), "uS")}, level="meaning") == verbalise(
        {"eda": signal(np.ones(50), "uS")}, level="structure"
    )


def test_channels_and_signals_are_said_one_by_one():
    both = {"acc": signal(np.ones((10, 3)), "g"), "eda": signal(np.full(10, np.nan), "uS")}
    lines = verbalise(both, level="statistics").splitlines()
    assert [line.split(" (")[0] for line in lines] == ["acc 0", "acc 1", "acc 2", "eda: nothing was measured."]


def test_an_unknown_level_and_a_wrong_unit_are_named():
    with pytest.raises(ValueError, match=r"level is 'deep', expected one of \('statistics', 'structure', 'meaning'\)"):
        verbalise({}, level="deep")
    with pytest.raises(ValueError, match=r"'kg' cannot become 'bpm'"):
        verbalise({"heart_rate": signal(np.ones(100), "kg")}, level="meaning")


def test_words_need_no_torch():
    code = "import sys, datamodules.inspect.verbalise; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
