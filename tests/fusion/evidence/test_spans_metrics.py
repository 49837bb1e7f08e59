"""Entity scores of tagged texts: seqeval's own numbers over the whole split."""

import pytest
import torch
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score

from fusion.evidence.kinds.spans import SpansMetrics

TAGS = ["O", "B-VEG", "I-VEG", "B-MEAT", "I-MEAT"]


def test_scores_equal_seqeval_over_uneven_batches_of_uneven_width():
    generator = torch.Generator().manual_seed(0)
    reference = torch.randint(5, (30, 9), generator=generator)
    predicted = torch.where(torch.rand(30, 9, generator=generator) < 0.7, reference, 0)
    lengths = torch.randint(1, 9, (30,), generator=generator)
    reference[torch.arange(9) >= lengths[:, None]] = -100
    reference[:, 0] = -100  # a special piece
    meter = SpansMetrics(names=TAGS)
    for rows in torch.arange(30).split(7):  # an average of batches would differ
        width = int(lengths[rows].max())
        meter.update(predicted[rows], reference[rows, :width])
    words = [
        [[TAGS[i] for i, truth in zip(row, known, strict=True) if truth >= 0] for row, known in zip(*pair, strict=True)]
        for pair in ((reference.tolist(),) * 2, (predicted.tolist(), reference.tolist()))
    ]  # fmt: skip
    value = {name: float(v) for name, v in meter.compute().items()}
    assert value["f1"] == pytest.approx(f1_score(*words))
    assert value["precision"] == pytest.approx(precision_score(*words))
    assert value["recall"] == pytest.approx(recall_score(*words))
    assert set(value) == {"precision", "recall", "f1", "f1_VEG", "f1_MEAT"}
    by_label = classification_report(*words, output_dict=True)
    assert all(value[f"f1_{label}"] == pytest.approx(by_label[label]["f1-score"]) for label in ("VEG", "MEAT"))


def score(reference: list[int], predicted: list[int]) -> float:
    meter = SpansMetrics(names=TAGS)
    meter.update(torch.tensor([predicted]), torch.tensor([reference]))
    return float(meter.compute()["f1"])


def test_an_entity_counts_whole_or_not_at_all():
    assert score([0, 1, 2, 0], [0, 1, 2, 0]) == 1
    assert score([0, 1, 2, 0], [0, 1, 0, 0]) == 0  # a boundary
    assert score([0, 1, 2, 0], [0, 3, 4, 0]) == 0  # the label
    assert score([0, 1, 1, 0], [0, 1, 2, 0]) == 0  # two foods are not one
    assert score([0, 1, 2, 0], [0, 2, 2, 0]) == 1  # I- without B- begins one, as conlleval reads it
    assert score([0, 0], [0, 0]) == 0


def test_an_entity_never_goes_over_the_end_of_a_text():
    meter = SpansMetrics(names=TAGS)
    meter.update(torch.tensor([[0, 1], [2, 0]]), torch.tensor([[0, 1], [1, 0]]))
    assert float(meter.compute()["f1"]) == 1
