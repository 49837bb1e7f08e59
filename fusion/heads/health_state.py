"""Say which of several classes a person is in: the health state, or one of its causes."""

# Shapes: B people, Q fused tokens, D width, K classes.

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import TokenSet
from fusion.heads.base import Head

UNLABELLED = -100


class HealthStateHead(Head):
    """Pool the fused tokens by learned attention, then classify with one linear layer.

    ``class_weights``: one number a class, in the order of ``classes``; None weighs all classes alike.
    """

    def __init__(
        self,
        *,
        dim: int,
        classes: Sequence[str],
        dropout: float,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        if class_weights is not None and len(class_weights) != len(classes):
            raise ValueError(f"{len(class_weights)} class_weights for {len(classes)} classes {list(classes)}")
        self.classes = tuple(classes)
        self.label_smoothing = label_smoothing
        weights = torch.ones(len(classes)) if class_weights is None else torch.tensor(list(class_weights))
        self.register_buffer("class_weights", weights, persistent=False)
        self.score = nn.Linear(dim, 1)
        self.classify = nn.Sequential(nn.Dropout(dropout), nn.Linear(dim, len(classes)))

    def balance(self, counts: Sequence[int]) -> None:
        """Weigh every class by the inverse of its train ``counts``; the mean weight of a record stays 1."""
        if min(counts) == 0:
            raise ValueError(f"no train record of {self.classes[list(counts).index(0)]!r}; set class_weights=none")
        self.class_weights.copy_(sum(counts) / (len(counts) * torch.tensor(counts)))

    def forward(self, fused: TokenSet, target: Tensor | None = None) -> Tensor:
        """``fused`` (B, Q, D) -> logits (B, K)."""
        weights = self.score(fused.tokens).softmax(dim=1)
        return self.classify((weights * fused.tokens).sum(dim=1))

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Weighted cross entropy of logits (B, K) and class indices (B,); -100 is unlabelled."""
        if not self.is_labelled(target).any():
            return logits.sum() * 0
        return F.cross_entropy(
            logits, target, self.class_weights, ignore_index=UNLABELLED, label_smoothing=self.label_smoothing
        )

    def weight(self, target: Tensor) -> Tensor:
        """Sum of the class weights of the labelled rows."""
        return self.class_weights[target[self.is_labelled(target)]].sum()

    def predict(self, fused: TokenSet) -> Tensor:
        """Probabilities (B, K)."""
        return self(fused).softmax(dim=-1)

    def is_labelled(self, target: Tensor) -> Tensor:
        """(B,) bool."""
        return target != UNLABELLED
