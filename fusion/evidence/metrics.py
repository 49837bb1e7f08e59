"""Metrics of whole splits, one collection a head. Nothing here averages over batches."""

# Shapes: B records, K classes, P plan tokens, V vocabulary, T word pieces.

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest

import torch
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassAUROC,
    MulticlassCalibrationError,
    MulticlassF1Score,
)

from fusion.plan import Plan, PlanScore, load_tokenizer, parse
from fusion.plan.context import PlanContext
from fusion.plan.scoring.audit import Tally, audit
from fusion.plan.scoring.text_scores import text_scores

UNLABELLED = -100


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
    """Parse rate, slots, safety, evidence, numbers and likeness as text of generated plans, over the whole split.

    See fusion.plan's PlanScore, Tally and text_scores for what each is.
    """

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self.tokenizer = load_tokenizer()
        self.add_state("predicted", default=[], dist_reduce_fx=None)
        self.add_state("reference", default=[], dist_reduce_fx=None)
        self.add_state("tally", default=torch.zeros(len(Tally._fields), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, predicted: Tensor, reference: Tensor, contexts: Sequence[PlanContext] = ()) -> None:
        """``predicted``, ``reference``: (B, P) token ids; reference is padded with -100. ``contexts``: of these B."""
        for said, truth, context in zip_longest(self._plans(predicted), self._plans(reference), contexts):
            self.tally += torch.tensor(audit(said, truth, context), dtype=torch.float64, device=self.tally.device)
        size = self.tokenizer.max_length
        for ids, state in ((predicted, self.predicted), (reference, self.reference)):
            padded = ids.new_full((len(ids), size), self.tokenizer.pad_id)
            width = min(size, ids.shape[1])
            padded[:, :width] = ids[:, :width]
            state.append(torch.where(padded < 0, self.tokenizer.pad_id, padded))

    def compute(self) -> dict[str, Tensor]:
        """{parse_rate, exact_match, slot_f1, violations_per_1000, ...}: scalars over every plan seen since reset."""
        score = PlanScore()
        generated, references = self._texts(self.predicted), self._texts(self.reference)
        for said, truth in zip(generated, references, strict=True):
            score.add(parse(said), parse(truth))
        rates = Tally(*self.tally.tolist()).rates()
        values = {**score.compute(), **rates, **text_scores(generated, references)}
        return {name: torch.tensor(float(value)) for name, value in values.items()}

    def _texts(self, state: list[Tensor] | Tensor) -> list[str]:
        return [self.tokenizer.decode(row) for row in (torch.cat(state) if isinstance(state, list) else state).tolist()]

    def _plans(self, ids: Tensor) -> list[Plan | list[str]]:
        ids = ids.masked_fill(ids < 0, self.tokenizer.pad_id)
        return [parse(self.tokenizer.decode(row)) for row in ids.tolist()]


class TagMetrics(Metric):
    """Entity precision, recall and F1 of tagged texts (micro, and F1 a label), counted over the whole split.

    An entity counts where label, first and last word piece are right, read as seqeval does (Nakayama 2018, the rules of
    CoNLL-2000's conlleval): an I- without a B- before it begins an entity.
    """

    full_state_update = False

    def __init__(self, *, tags: list[str]) -> None:
        super().__init__()
        self.tags = list(tags)
        self.add_state("predicted", default=[], dist_reduce_fx="cat")
        self.add_state("reference", default=[], dist_reduce_fx="cat")

    def update(self, predicted: Tensor, reference: Tensor) -> None:
        """``predicted`` (B, T), ``reference`` (B, T') class indices; word pieces of -100 in reference do not count."""
        labelled = reference != UNLABELLED
        for row, is_labelled in enumerate(labelled):
            places = is_labelled.nonzero().flatten()
            between = reference.new_full((1,), UNLABELLED)  # texts are told apart once all lie end to end
            self.predicted.append(torch.cat([predicted[row][places], between]))
            self.reference.append(torch.cat([reference[row][places], between]))

    def compute(self) -> dict[str, Tensor]:
        """{precision, recall, f1, f1_<label>...}: scalars over every text seen since reset."""
        predicted, reference = self._texts(self.predicted), self._texts(self.reference)
        micro = precision_recall_fscore_support(reference, predicted, average="micro", zero_division=0)[:3]
        by_label = precision_recall_fscore_support(reference, predicted, average=None, zero_division=0)[2]
        labels = sorted({label for texts in (reference, predicted) for label, _, _ in get_entities(texts)})
        scores = dict(zip(("precision", "recall", "f1"), micro, strict=True))
        scores |= {f"f1_{label}": f1 for label, f1 in zip(labels, by_label, strict=True)}
        return {name: torch.tensor(float(value)) for name, value in scores.items()}

    def _texts(self, state: list[Tensor] | Tensor) -> list[list[str]]:
        ids = (torch.cat(state) if isinstance(state, list) else state).tolist()
        texts: list[list[str]] = [[]]
        for index in ids:
            if index == UNLABELLED:
                texts.append([])
            else:
                texts[-1].append(self.tags[index])
        return texts[:-1]


MetricFactory = Callable[[], MetricCollection | PlanMetrics | TagMetrics]
