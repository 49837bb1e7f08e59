"""Intervals over sources, and the scores they are made of, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from fusion.evidence.intervals import balanced_accuracy, central, confusion, macro_f1, source_weights, verdict

GENERATOR = np.random.default_rng(0)
LABELS = GENERATOR.integers(3, size=300)
PREDICTED = np.where(GENERATOR.random(300) < 0.6, LABELS, GENERATOR.integers(3, size=300))
PEOPLE = [{"person": str(i % 10), "photo": str(i)} for i in range(300)]


def test_scores_equal_scikit_learn_with_weights():
    weights = GENERATOR.random(300)
    matrix = confusion(LABELS, PREDICTED, 3, weights)
    assert macro_f1(matrix) == pytest.approx(f1_score(LABELS, PREDICTED, average="macro", sample_weight=weights))
    expected = balanced_accuracy_score(LABELS, PREDICTED, sample_weight=weights)
    assert balanced_accuracy(matrix) == pytest.approx(expected)


def test_records_of_one_person_are_drawn_together():
    people = [{"person": record["person"]} for record in PEOPLE]
    for weights in source_weights(people, 20, seed=0):
        assert all(len(set(weights[person::10])) == 1 for person in range(10))


def test_few_people_give_a_wider_interval_than_as_many_records():
    skill = GENERATOR.random(10)[np.arange(300) % 10]
    predicted = np.where(GENERATOR.random(300) < skill, LABELS, (LABELS + 1) % 3)
    width = {}
    for kind in ("person", "photo"):
        weights = source_weights([{kind: r[kind]} for r in PEOPLE], 300, seed=0)
        low, high = central([macro_f1(confusion(LABELS, predicted, 3, own)) for own in weights])
        assert low < macro_f1(confusion(LABELS, predicted, 3)) < high
        width[kind] = high - low
    assert width["person"] > 1.5 * width["photo"]


def test_a_verdict_needs_the_whole_interval_on_one_side():
    assert [verdict(0.01, 0.1), verdict(-0.1, -0.01), verdict(-0.01, 0.1)] == ["better", "worse", "unresolved"]
