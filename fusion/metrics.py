"""Metrics of whole splits, one collection a head. Nothing here averages over batches."""

# Shapes: B records, K classes, P plan tokens, V vocabulary.

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassAUROC,
    MulticlassCalibrationError,
    MulticlassF1Score,
)

from fusion.plan import PlanScore, load_tokenizer, parse


def classification_metrics(*, classes: list[str]) -> MetricCollection:
    """Accuracy, macro-F1, balanced accuracy (mean recall), macro AUROC (one against rest) and ECE (15 bins, L1).

    Fed with probabilities (B, K) and labels (B,) of the labelled records only.
    """
    num = len(classes)
    return MetricCollection(
        {
            "accuracy": MulticlassAccuracy(num, average="micro"),
            "macro_f1": MulticlassF1Score(num, average="macro"),
            "balanced_accuracy": MulticlassAccuracy(num, average="macro"),
            "auroc": MulticlassAUROC(num, average="macro"),
            "ece": MulticlassCalibrationError(num, n_bins=15, norm="l1"),
        }
    )


class PlanMetrics(Metric):
    """Parse rate, exact match and slot F1 of generated plans, counted over the whole split."""

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self.tokenizer = load_tokenizer()
        self.add_state("predicted", default=[], dist_reduce_fx=None)
        self.add_state("reference", default=[], dist_reduce_fx=None)

    def update(self, predicted: Tensor, reference: Tensor) -> None:
        """``predicted``, ``reference``: (B, P) token ids; reference is padded with -100."""
        size = self.tokenizer.max_length
        for ids, state in ((predicted, self.predicted), (reference, self.reference)):
            padded = ids.new_full((len(ids), size), self.tokenizer.pad_id)
            width = min(size, ids.shape[1])
            padded[:, :width] = ids[:, :width]
            state.append(torch.where(padded < 0, self.tokenizer.pad_id, padded))

    def compute(self) -> dict[str, Tensor]:
        """{parse_rate, exact_match, slot_f1, ...}: scalars over every plan seen since reset."""
        score = PlanScore()
        for ids, target in zip(self._rows(self.predicted), self._rows(self.reference), strict=True):
            score.add(parse(self.tokenizer.decode(ids)), parse(self.tokenizer.decode(target)))
        return {name: torch.tensor(value) for name, value in score.compute().items()}

    def _rows(self, state: list[Tensor] | Tensor) -> list[list[int]]:
        return (torch.cat(state) if isinstance(state, list) else state).tolist()


MetricFactory = Callable[[], MetricCollection | PlanMetrics]
