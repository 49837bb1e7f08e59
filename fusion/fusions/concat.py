"""Fuse token sets by pooling each and joining all: the baseline every other fusion must beat."""

# Shapes: B people, M modalities, D width.

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fusion.batch import TokenSet
from fusion.fusions.base import Fusion
from fusion.layers import FeedForward, TimeEncoding
from fusion.masks import has_any, masked_mean


class ConcatFusion(Fusion):
    """Mean of each modality's tokens and a flag that it is present, side by side, through one MLP.

    The prior of a row with nothing present is what the MLP makes of zeros.
    """

    def __init__(self, *, dim: int, modalities: Sequence[str], dropout: float) -> None:
        super().__init__()
        self.dim = dim
        self.modalities = list(modalities)
        self.time = TimeEncoding(dim=dim)
        self.norm_tokens = nn.LayerNorm(dim)
        self.mlp = FeedForward(dim=len(self.modalities) * (dim + 1), hidden=4 * dim, dropout=dropout, dim_out=dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, token_sets: dict[str, TokenSet]) -> TokenSet:
        """{modality: tokens (B, N_m, D)} -> one fused token (B, 1, D) at the moment of prediction."""
        pooled = []
        for tokens, valid, time_s in (token_sets[name] for name in self.modalities):
            pooled.append(masked_mean(self.norm_tokens(tokens + self.time(time_s)), valid))
            pooled.append(has_any(valid)[:, None].to(tokens.dtype))
        x = self.norm(self.mlp(torch.cat(pooled, dim=1)))[:, None]
        return TokenSet(x, torch.ones_like(x[..., 0], dtype=torch.bool), torch.zeros_like(x[..., 0]))
