"""Whole-set metrics against scikit-learn, and plans counted over a split."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from fusion.evidence.metrics import PlanMetrics, classification_metrics
from fusion.plan import Facts, guideline, load_tokenizer, to_text


def test_classification_metrics_equal_scikit_learn_over_uneven_batches():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (101,), generator=generator)
    probabilities = (torch.randn(101, 3, generator=generator) + torch.nn.functional.one_hot(labels, 3)).softmax(1)
    meter = classification_metrics(classes=["a", "b", "c"])
    for rows in torch.arange(101).split(17):  # an average of batches would differ
        meter.update(probabilities[rows], labels[rows])
    value = {name: float(v) for name, v in meter.compute().items()}
    predicted = probabilities.argmax(1)
    assert value["macro_f1"] == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert value["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert value["accuracy"] == pytest.approx((labels == predicted).double().mean().item())
    assert value["auroc"] == pytest.approx(roc_auc_score(labels, probabilities, multi_class="ovr"), abs=1e-6)
    confidence, hit = probabilities.max(1).values.numpy(), (labels == predicted).numpy()
    bins = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
    ece = sum(abs(hit[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    assert value["ece"] == pytest.approx(ece, abs=1e-6)


def plan_ids(goal: str) -> list[int]:
    return load_tokenizer().encode(to_text(guideline(Facts(state="balanced", goal=goal))))[1:]


def test_plan_metrics_count_parsed_exact_and_broken_plans():
    right, other = plan_ids("maintain"), plan_ids("sleep_better")
    width = max(len(right), len(other))
    reference = torch.full((3, width), -100)
    predicted = torch.full((3, width), load_tokenizer().pad_id)
    for row in range(3):
        reference[row, : len(right)] = torch.tensor(right)
    predicted[0, : len(right)] = torch.tensor(right)
    predicted[1, : len(other)] = torch.tensor(other)
    predicted[2, :4] = torch.tensor(right[:4])  # never ends
    meter = PlanMetrics()
    meter.update(predicted[:1], reference[:1])
    meter.update(predicted[1:], reference[1:])
    value = meter.compute()
    assert value["parse_rate"] == pytest.approx(2 / 3)
    assert value["exact_match"] == pytest.approx(1 / 3)
    assert 1 / 3 < value["slot_f1"] < 0.9
