"""Every kind of target has metrics, intervals over people, a picture and a row in both closing tables."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, f1_score, mean_absolute_error, roc_auc_score

from fusion.evidence.kinds import kind_of
from fusion.evidence.plots import plot_answers, plot_subsets
from fusion.evidence.results import add_intervals, save_predictions
from fusion.evidence.table import print_tables
from fusion.plan import Facts, guideline, load_tokenizer, to_text
from fusion.targets import KINDS, Target

NAMES = {"classes": "abc", "ordinal": "abc", "multilabel": "abc", "numbers": "xy", "spans": ["O", "B-V", "I-V"]}
NUM, PEOPLE = 60, 12
IDS = [f"r{i}" for i in range(NUM)]
SOURCES = {one: {"person": f"p{i % PEOPLE}"} for i, one in enumerate(IDS)}


def plan_ids(goal: str) -> list[int]:
    return load_tokenizer().encode(to_text(guideline(Facts(state="balanced", goal=goal))))[1:]


def answers(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Predicted and reference of NUM records, mostly right."""
    generator = torch.Generator().manual_seed(0)
    is_right = torch.rand(NUM, generator=generator) < 0.7
    labels = torch.randint(3, (NUM,), generator=generator)
    if kind in ("classes", "ordinal"):
        told = torch.where(is_right, labels, (labels + 1) % 3)
        return (torch.randn(NUM, 3, generator=generator) + 4 * torch.eye(3)[told]).softmax(1), labels
    if kind == "multilabel":
        truth = torch.randint(2, (NUM, 3), generator=generator)
        said = (truth + 0.4 * torch.randn(NUM, 3, generator=generator)).clamp(0, 1)
        truth[::7, 1] = -100
        return said, truth
    if kind == "numbers":
        truth = torch.randn(NUM, 2, generator=generator)
        said = truth + 0.3 * torch.randn(NUM, 2, generator=generator)
        truth[::3, 1] = math.nan
        return said, truth
    if kind == "spans":
        truth = torch.tensor([[-100, 1, 2, 0, 1]] * NUM)
        said = torch.where(is_right[:, None], truth, torch.tensor([-100, 1, 0, 0, 1])).clamp(min=0)
        return said, truth
    right, other = (torch.tensor(plan_ids(goal)) for goal in ("maintain", "sleep_better"))
    width = max(len(right), len(other))
    pad = torch.nn.functional.pad
    right, other = (pad(ids, (0, width - len(ids)), value=-100) for ids in (right, other))
    return torch.where(is_right[:, None], right, other).clamp(min=load_tokenizer().pad_id), right.repeat(NUM, 1)


def measured(kind: str) -> tuple[Target, dict[str, float], list]:
    target = Target(kind, tuple(NAMES.get(kind, ())))
    metric, batches = kind_of(target).metric(), []
    predicted, reference = answers(kind)
    for rows in torch.arange(NUM).split(13):  # an average of batches would differ
        metric.update(predicted[rows], reference[rows])
        batches.append(([IDS[i] for i in rows], predicted[rows], reference[rows]))
    return target, {f"head/{name}": float(value) for name, value in metric.compute().items()}, batches


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_measured_with_intervals_drawn_and_printed(kind, tmp_path, capsys):
    target, values, batches = measured(kind)
    results, predictions, asked = {"as_recorded": values}, {"as_recorded": {"head": batches}}, {"head": target}
    add_intervals(results, predictions, asked, SOURCES, 100)
    for metric in kind_of(target).headline:
        key = f"head/{metric}"
        assert values[f"{key}_low"] <= values[key] <= values[f"{key}_high"]
        assert values[f"{key}_low"] < values[f"{key}_high"]
    plot_answers(predictions, asked, tmp_path)
    plot_subsets(results, "head", target, {}, tmp_path / "head_subsets.png")
    assert len(list(tmp_path.glob("head_*.png"))) >= 2
    print_tables(results, asked, main=["head"], rows=["as_recorded"], ceiling={}, where={})
    shown = capsys.readouterr().out
    for metric in kind_of(target).headline:
        assert shown.count(f"{values[f'head/{metric}']:.3f} [") == 2, shown
    save_predictions(tmp_path / "predictions.npz", predictions, asked)
    with np.load(tmp_path / "predictions.npz") as saved:
        assert saved["head__record_ids"].tolist() == IDS and len(saved["head__as_recorded"]) == NUM


@pytest.mark.parametrize("kind", KINDS)
def test_an_interval_of_single_records_is_narrower_than_of_people_who_are_alike(kind):
    """The bootstrap draws people: everything of one person is drawn together."""
    target, values, batches = measured(kind)
    one = {record: {"person": "only"} for record in IDS}
    add_intervals({"as_recorded": values}, {"as_recorded": {"head": batches}}, {"head": target}, one, 20)
    for metric in kind_of(target).headline:
        assert values[f"head/{metric}_low"] == pytest.approx(values[f"head/{metric}_high"])


def test_classes_equal_scikit_learn():
    _, values, _ = measured("classes")
    probabilities, labels = (x.numpy() for x in answers("classes"))
    decided = probabilities.argmax(1)
    assert values["head/macro_f1"] == pytest.approx(f1_score(labels, decided, average="macro"))
    assert values["head/balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, decided))
    assert values["head/auroc"] == pytest.approx(roc_auc_score(labels, probabilities, multi_class="ovr"), abs=1e-6)
    confidence, hit = probabilities.max(1), decided == labels
    bins = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
    ece = sum(abs(hit[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    assert values["head/ece"] == pytest.approx(ece, abs=1e-6)


def test_ranks_equal_scikit_learn():
    _, values, _ = measured("ordinal")
    probabilities, labels = (x.numpy() for x in answers("ordinal"))
    decided = (probabilities.cumsum(1) < 0.5).sum(1)
    assert values["head/mae_ranks"] == pytest.approx(mean_absolute_error(labels, decided))
    assert values["head/weighted_kappa"] == pytest.approx(cohen_kappa_score(labels, decided, weights="quadratic"))


def test_labels_equal_scikit_learn_where_they_are_labelled():
    _, values, _ = measured("multilabel")
    said, truth = (x.numpy() for x in answers("multilabel"))
    by_label = [f1_score(t[t >= 0], s[t >= 0] >= 0.5) for s, t in zip(said.T, truth.T, strict=True)]
    assert values["head/macro_f1"] == pytest.approx(np.mean(by_label))


def test_plans_count_parsed_and_exact_ones():
    _, values, _ = measured("plan")
    predicted, reference = answers("plan")
    exact = (predicted == reference.clamp(min=load_tokenizer().pad_id)).all(1).float().mean()
    assert values["head/parse_rate"] == 1 and values["head/exact_match"] == pytest.approx(float(exact))
    assert float(exact) < values["head/slot_f1"] < 1
