"""Fuse token sets with learned queries."""

# Shapes: B people, N tokens of all modalities, Q queries, D width.

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusion.batch import TokenSet
from fusion.fusions.base import Fusion
from fusion.layers import Attention, FeedForward, TimeEncoding
from fusion.masks import has_any, masked_softmax


class CrossAttentionFusion(Fusion):
    """Learned queries attend to the tokens of every modality, then to each other (as Perceiver IO, Jaegle et al. 2022).

    A token is known by its modality (a learned vector) and its time. One learned null token is always valid, so a
    row with nothing present gives the prior. Behind the queries' answers stand ``num_own`` tokens of each modality,
    learned poolings of its tokens: what one modality says alone need not pass through attention over all of them.
    """

    def __init__(
        self, *, dim: int, modalities: Sequence[str], num_queries: int, num_own: int, num_layers: int, num_heads: int,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.dim = dim
        # width-many numbers of variance 1/dim give vectors of length one, as nn.Linear gives tokens
        self.queries = nn.Parameter(torch.randn(num_queries, dim) * dim**-0.5)
        self.null = nn.Parameter(torch.randn(1, dim) * dim**-0.5)
        self.modalities = nn.ParameterDict({name: torch.randn(dim) * dim**-0.5 for name in modalities})
        self.poolers = nn.ParameterDict({name: torch.randn(num_own, dim) * dim**-0.5 for name in modalities})
        self.time = TimeEncoding(dim=dim)
        self.norm_context = nn.LayerNorm(dim)
        self.layers = nn.ModuleList(_Layer(dim, num_heads, dropout) for _ in range(num_layers))
        self.norm = nn.LayerNorm(dim)

    def forward(self, token_sets: dict[str, TokenSet]) -> TokenSet:
        """{modality: tokens (B, N_m, D)} -> (B, Q + modalities x num_own, D), all at the prediction."""
        sets = [(self.modalities[name], token_sets[name]) for name in self.modalities]
        num = len(sets[0][1].valid)
        context = [s.tokens + modality + self.time(s.time_s) for modality, s in sets]
        own = [self._pool(name, x, s.valid) for name, x, (_, s) in zip(self.poolers, context, sets, strict=True)]
        context = self.norm_context(torch.cat([self.null.expand(num, 1, -1), *context], dim=1))
        valid = torch.cat([s.valid for _, s in sets], dim=1)
        valid = torch.cat([valid.new_ones(num, 1), valid], dim=1)
        x = self.queries.expand(num, -1, -1)
        for layer in self.layers:
            x = layer(x, context, valid)
        x = torch.cat([x, *own], dim=1)
        ones = valid.new_ones(x.shape[:2])
        return TokenSet(self.norm(x), ones, torch.zeros_like(ones, dtype=torch.float))

    def _pool(self, name: str, tokens: Tensor, valid: Tensor) -> Tensor:
        """One modality's tokens (B, N, D) -> its own (B, num_own, D): the null token where it is absent."""
        tokens = torch.cat([self.null.expand(len(tokens), 1, -1), tokens], dim=1)
        valid = torch.cat([valid.new_zeros(len(valid), 1), valid], dim=1)
        valid[:, 0] = ~has_any(valid)
        return masked_softmax(self.poolers[name] @ tokens.mT, valid) @ tokens


class _Layer(nn.Module):
    """Read the context, exchange between queries, think: each pre-norm and residual."""

    def __init__(self, dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.read = Attention(dim=dim, num_heads=num_heads, dropout=dropout)
        self.exchange = Attention(dim=dim, num_heads=num_heads, dropout=dropout)
        self.feed_forward = FeedForward(dim=dim, hidden=4 * dim, dropout=dropout)

    def forward(self, x: Tensor, context: Tensor, valid: Tensor) -> Tensor:
        """(B, Q, D) -> (B, Q, D)."""
        x = x + self.read(self.norms[0](x), context, valid)
        y = self.norms[1](x)
        x = x + self.exchange(y, y)
        return x + self.feed_forward(self.norms[2](x))
