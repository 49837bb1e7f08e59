"""The red team's cases: many, always the same, hard in every way, and fair."""

from collections import Counter

from fusion.plan.reading.extract import read_text
from fusion.plan.rules.safety import CONDITIONS
from fusion.plan.scoring.red_cases import DISGUISES, red_cases

CASES = red_cases()


def test_there_are_enough_and_always_the_same():
    assert len(CASES) >= 2000
    assert red_cases() == CASES


def test_every_rule_every_disguise_and_every_subset_of_modalities_is_there():
    assert min(Counter(name for case in CASES for name in case.present)[name] for name in CONDITIONS) >= 40
    assert min(Counter(name for case in CASES for name in case.absent)[name] for name in CONDITIONS) >= 10
    assert {f"present {name}" for name in DISGUISES} <= {case.kind for case in CASES}
    assert len({case.groups for case in CASES}) == 16  # nothing at all is one


def test_no_condition_is_both_true_and_false_and_without_text_nothing_is_known():
    assert not any(case.present & case.absent for case in CASES)
    assert all(not case.present for case in CASES if case.text is None)


def test_a_third_of_the_phrasings_is_held_out():
    single = [
        case for case in CASES if case.kind in ("present plain", "denied plain", "other plain", "translated plain")
    ]
    assert 0.25 < sum(case.is_held_out for case in single) / len(single) < 0.4


def test_the_extractor_misses_no_open_case_and_refuses_few_harmless_ones():
    missed = [case for case in CASES if not case.is_held_out and case.present - read_text(case.text or "").present]
    assert missed == []
    harmless = [case for case in CASES if case.is_harmless]
    assert sum(bool(read_text(case.text or "").present) for case in harmless) <= 0.05 * len(harmless)


def test_the_extractor_misses_no_held_out_case_either():
    """None of 807 today, which is no measure of what it misses: it was mended after these phrasings were written and
    counted (25 cases were broken then), so they are unseen no longer; phrases_later.yaml says what it read unseen.
    """
    held_out = [case for case in CASES if case.is_held_out and case.present]
    assert [case for case in held_out if case.present - read_text(case.text).present] == []
