"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WeightedSum(nn.Module):
    """Sum of the heads' losses, each times its weight. A head without a weight, or the reverse, is an error."""

    def __init__(self, *, weights: dict[str, float]):
        super().__init__()
        self.weights = weights

    def forward(
        self,
        heads: nn.ModuleDict,
        logits: dict[str, Tensor],
        targets: dict[str, Tensor],
        shares: dict[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """-> {"loss": scalar, head: its own unweighted scalar loss, ...}

        ``shares``: by head, a factor on its loss in the sum (of several ranks' unequal parts of a batch); None = 1.
        """
        if set(self.weights) != set(logits):
            raise ValueError(f"objective.weights name {sorted(self.weights)}, the model has heads {sorted(logits)}")
        losses = {name: heads[name].loss(logits[name], targets[name]) for name in sorted(logits)}
        parts = {name: loss if shares is None else loss * shares[name] for name, loss in losses.items()}
        total = torch.stack([self.weights[name] * loss for name, loss in parts.items()]).sum()
        return {"loss": total, **losses}
