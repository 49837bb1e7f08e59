"""Say which of several labels hold, any number of them: foods on a plate, symptoms in a note."""

# Shapes: B people, Q fused tokens, D width, K labels.

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import Fused
from fusion.heads.base import Head
from fusion.masks import masked_softmax
from fusion.targets import UNLABELLED


class MultilabelHead(Head):
    """Every label reads the fused tokens with its own attention, then one linear layer a label.

    Targets are (B, K) of 0 and 1; -100 is unlabelled, label by label.
    """

    kind = "multilabel"

    def __init__(
        self, *, target: str, names: Sequence[str], loss_weight: float, dim: int, dropout: float,
        is_auxiliary: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(target=target, names=names, loss_weight=loss_weight, is_auxiliary=is_auxiliary)
        self.attend = nn.Linear(dim, len(names))
        self.dropout = nn.Dropout(dropout)
        self.decide = nn.Linear(dim, len(names))

    def forward(self, fused: Fused, target: Tensor | None = None) -> Tensor:
        """``fused`` (B, Q, D) -> logits (B, K)."""
        pooled = masked_softmax(self.attend(fused.tokens).mT, fused.valid) @ fused.tokens  # (B, K, D)
        return (self.dropout(pooled) * self.decide.weight).sum(dim=-1) + self.decide.bias

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Binary cross entropy of logits (B, K), mean over all labelled labels."""
        is_labelled = target != UNLABELLED
        if not is_labelled.any():
            return logits.sum() * 0
        return F.binary_cross_entropy_with_logits(logits[is_labelled], target[is_labelled].to(logits.dtype))

    def weight(self, target: Tensor) -> Tensor:
        """Labelled labels."""
        return (target != UNLABELLED).sum()

    def predict(self, fused: Fused) -> Tensor:
        """Probability of every label (B, K)."""
        return self.logits(fused).sigmoid()
