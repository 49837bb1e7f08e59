"""The plain sum of what the heads lose."""

from __future__ import annotations

import torch
from torch import Tensor

from fusion.batch import Batch, Fused
from fusion.model import FusionModel
from fusion.objectives.base import Objective


class WeightedSum(Objective):
    """Sum of the heads' losses, each times its head's ``loss_weight``."""

    def forward(
        self, model: FusionModel, batch: Batch, fused: Fused, outputs: dict[str, Tensor],
        shares: dict[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:  # fmt: skip
        """-> {"loss": the sum, head: its own unweighted loss, ...}"""
        heads = model.heads
        losses = {name: heads[name].loss(outputs[name], batch.targets[heads[name].target]) for name in sorted(outputs)}
        parts = {name: loss if shares is None else loss * shares[name] for name, loss in losses.items()}
        total = torch.stack([heads[name].loss_weight * loss for name, loss in parts.items()]).sum()
        return {"loss": total, **losses}
