"""Train a frozen network through low-rank updates of its linear layers (LoRA, Hu et al. 2022)."""

# Shapes: I inputs, O outputs, R rank.

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

SCALE = 2.0  # alpha / rank, the authors' usual ratio


class LowRank(nn.Module):
    """``layer`` (I -> O) plus an update of rank R that starts at zero."""

    def __init__(self, layer: nn.Linear | Conv1D, rank: int) -> None:
        super().__init__()
        num_in, num_out = layer.weight.shape if isinstance(layer, Conv1D) else layer.weight.shape[::-1]
        self.layer = layer
        self.down = nn.Parameter(torch.randn(rank, num_in) / num_in**0.5)
        self.up = nn.Parameter(torch.zeros(num_out, rank))

    def forward(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., O)."""
        return self.layer(x) + SCALE * F.linear(F.linear(x, self.down), self.up)


def add_lora(network: nn.Module, *, rank: int) -> None:
    """Give every linear layer of the ``nn.ModuleList``s in ``network`` (its transformer layers) an update."""
    if rank < 1:
        raise ValueError(f"lora_rank={rank}, expected at least 1; 0 leaves the updates out")
    blocks = [block for stack in network.modules() if isinstance(stack, nn.ModuleList) for block in stack]
    for parent in dict.fromkeys(module for block in blocks for module in block.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear | Conv1D) and not isinstance(parent, LowRank):
                setattr(parent, name, LowRank(child, rank))
