"""Spans of a text, tagged word piece by word piece: tags (N, T) against tags (N, T), -100 where nothing is known."""

# Shapes: B and N records, T word pieces, R replicates.

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support
from torch import Tensor
from torchmetrics import Metric

from fusion.evidence.kinds.base import Kind
from fusion.targets import UNLABELLED


class SpansKind(Kind):
    """Entity precision, recall and F1, micro and a label, as seqeval counts them."""

    headline = ("f1",)
    shown = ("precision", "recall")

    def metric(self) -> Metric:
        return SpansMetrics(names=self.names)

    def resample(self, predicted: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        hits, said, true = (weights @ count for count in self._counts(predicted, reference).T)
        with np.errstate(invalid="ignore"):
            return {"f1": 2 * hits / (said + true), "precision": hits / said, "recall": hits / true}

    def draw(self, predicted: np.ndarray, reference: np.ndarray) -> dict[str, Figure]:
        labels = tuple(dict.fromkeys(name[2:] for name in self.names if name[1:2] == "-"))
        counts = [self._counts(predicted, reference, label).sum(0) for label in labels]
        figure, axis = plt.subplots(figsize=(6, 1.2 + 0.3 * len(labels)), layout="constrained")
        axis.barh(labels, [2 * hits / max(said + true, 1) for hits, said, true in counts], color="#5b8fc9")
        axis.set(xlim=(0, 1), xlabel="entity F1")
        return {"labels": figure}

    def _counts(self, predicted: np.ndarray, reference: np.ndarray, label: str | None = None) -> np.ndarray:
        """(N, 3) by text: entities found rightly, found, and true; of one ``label`` or of all."""
        rows = []
        for said, true in zip(predicted, reference, strict=True):
            is_known = true != UNLABELLED
            found, wanted = (
                {e for e in get_entities([self.names[i] for i in ids[is_known]]) if label in (None, e[0])}
                for ids in (said, true)
            )
            rows.append((len(found & wanted), len(found), len(wanted)))
        return np.array(rows, float).reshape(-1, 3)


class SpansMetrics(Metric):
    """Entity precision, recall and F1 of tagged texts (micro, and F1 a label), counted over the whole split.

    An entity counts where label, first and last word piece are right, read as seqeval does (Nakayama 2018, the rules of
    CoNLL-2000's conlleval): an I- without a B- before it begins an entity.
    """

    full_state_update = False

    def __init__(self, *, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)
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
                texts[-1].append(self.names[index])
        return texts[:-1]
