"""Tag the foods a text names: one class for every word piece."""

# Shapes: B people, T word pieces, Q fused tokens, D width, W hidden width, K tags.

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import Fused
from fusion.heads.base import Head
from fusion.layers import Attention
from fusion.masks import remask

UNLABELLED = -100
OUTSIDE = "O"


class DietTagsHead(Head):
    """Classify every word piece from its own token, its neighbours' and what it attends to in the fused tokens.

    ``tags``: classes in BIO form (Ramshaw & Marcus 1995), "O" first. ``modality``: the text whose encoder gives one
    token a word piece and its summary last (the summary is not tagged). ``reach``: neighbours on either side that the
    hidden layer sees. Targets are (B, T) class indices, -100 where nothing is known: special pieces, padding, no text.
    """

    def __init__(
        self, *, dim: int, modality: str, tags: Sequence[str], width: int, reach: int, num_heads: int, dropout: float
    ) -> None:
        super().__init__()
        if not tags or tags[0] != OUTSIDE:
            raise ValueError(f"diet tags are {list(tags)}, expected {OUTSIDE!r} first; fix data.labels.diet_tags")
        self.modality, self.tags = modality, tuple(tags)
        self.context = Attention(dim=dim, num_heads=num_heads, dropout=dropout)
        self.mix = nn.Conv1d(2 * dim, width, kernel_size=2 * reach + 1, padding=reach)
        self.classify = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(width, len(self.tags)))

    def forward(self, fused: Fused, target: Tensor | None = None) -> Tensor:
        """Fused tokens (B, Q, D) and word pieces (B, T + 1, D) -> logits (B, T, K), zero where there is no piece."""
        if self.modality not in fused.sources:
            raise ValueError(
                f"the diet tags head reads modality {self.modality!r}, the model has {sorted(fused.sources)}; "
                f"add it to modality=[...] or drop diet_tags from head=[...]"
            )
        pieces = fused.sources[self.modality]
        tokens, valid = pieces.tokens[:, :-1], pieces.valid[:, :-1]
        seen = self.context(tokens, fused.tokens, fused.valid)
        hidden = self.mix(remask(torch.cat([tokens, seen], dim=-1), valid).transpose(1, 2)).transpose(1, 2)
        return remask(self.classify(hidden), valid)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross entropy of logits (B, T, K) and class indices (B, T), mean over all labelled word pieces."""
        if not self.is_labelled(target).any():
            return logits.sum() * 0
        known = target != UNLABELLED
        longest = int(known.any(dim=0).nonzero().max()) + 1
        if longest > logits.shape[1]:
            raise ValueError(
                f"diet tags label {longest} word pieces, the {self.modality!r} stream has {logits.shape[1]}; "
                f"tags and text must come from one tokenizer: fix data.modalities.{self.modality}"
            )
        known = known[:, :longest]
        return F.cross_entropy(logits[:, :longest][known], target[:, :longest][known])

    def weight(self, target: Tensor) -> Tensor:
        """Labelled word pieces."""
        return (target != UNLABELLED).sum()

    def predict(self, fused: Fused) -> Tensor:
        """The most likely class of every word piece: (B, T), "O" where there is none."""
        return self(fused).argmax(dim=-1)

    def is_labelled(self, target: Tensor) -> Tensor:
        """(B,) bool."""
        return (target != UNLABELLED).any(dim=1)
