"""Say which of several ranks holds, where ranks have an order: none, mild, severe."""

# Shapes: B people, Q fused tokens, D width, K ranks.

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import Fused
from fusion.heads.base import Head
from fusion.masks import masked_softmax
from fusion.targets import UNLABELLED

SMALLEST = 1e-6  # under a logarithm


class OrdinalHead(Head):
    """One score and rising thresholds: P(rank > k) = sigmoid(score - threshold k), the proportional odds model.

    McCullagh 1980. A mistake costs more the further it is off, and the ranks in between are never skipped. ``names``:
    ranks in rising order, two at least.
    """

    kind = "ordinal"

    def __init__(
        self, *, target: str, names: Sequence[str], loss_weight: float, dim: int, dropout: float,
        is_auxiliary: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(target=target, names=names, loss_weight=loss_weight, is_auxiliary=is_auxiliary)
        if len(names) < 2:
            raise ValueError(f"the ranks of {target!r} are {list(names)}, expected two at least; fix data.targets")
        self.attend = nn.Linear(dim, 1)
        self.score = nn.Sequential(nn.Dropout(dropout), nn.Linear(dim, 1))
        self.first = nn.Parameter(torch.tensor(1 - len(names) / 2))  # thresholds begin at steps of one around 0
        self.steps = nn.Parameter(torch.full((len(names) - 2,), 0.5413))  # softplus of it is 1

    @property
    def thresholds(self) -> Tensor:
        """(K - 1,), rising."""
        return self.first + F.pad(F.softplus(self.steps).cumsum(0), (1, 0))

    def forward(self, fused: Fused, target: Tensor | None = None) -> Tensor:
        """``fused`` (B, Q, D) -> log probabilities (B, K)."""
        weights = masked_softmax(self.attend(fused.tokens).mT, fused.valid)
        above = torch.sigmoid(self.score((weights @ fused.tokens)[:, 0]) - self.thresholds)
        bounds = F.pad(F.pad(above, (1, 0), value=1.0), (0, 1), value=0.0)
        return (bounds[:, :-1] - bounds[:, 1:]).clamp(min=SMALLEST).log()

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Negative log likelihood of log probabilities (B, K) and ranks (B,); -100 is unlabelled."""
        if not self.is_labelled(target).any():
            return logits.sum() * 0
        return F.nll_loss(logits, target, ignore_index=UNLABELLED)

    def predict(self, fused: Fused) -> Tensor:
        """Probabilities (B, K)."""
        return self.logits(fused).softmax(dim=-1)
