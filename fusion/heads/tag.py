"""Tag what a text names, foods for one: one class for every word piece."""

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
from fusion.targets import UNLABELLED


class TagHead(Head):
    """Classify every word piece from its own token, its neighbours' and what it attends to in the fused tokens.

    ``names``: tags in BIO form (Ramshaw & Marcus 1995), "O" first. ``modality``: the text whose encoder gives one
    token a word piece and its summary last (the summary is not tagged). ``reach``: neighbours on either side that the
    hidden layer sees. Targets are (B, T) class indices, -100 where nothing is known: special pieces, padding, no text.
    """

    kind = "spans"

    def __init__(
        self, *, target: str, names: Sequence[str], loss_weight: float, dim: int, modality: str, width: int, reach: int,
        num_heads: int, dropout: float,
    ) -> None:  # fmt: skip
        super().__init__(target=target, names=names, loss_weight=loss_weight)
        self.modality = modality
        self.context = Attention(dim=dim, num_heads=num_heads, dropout=dropout)
        self.mix = nn.Conv1d(2 * dim, width, kernel_size=2 * reach + 1, padding=reach)
        self.classify = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(width, len(names)))

    def forward(self, fused: Fused, target: Tensor | None = None) -> Tensor:
        """Fused tokens (B, Q, D) and word pieces (B, T + 1, D) -> logits (B, T, K), zero where there is no piece."""
        if self.modality not in fused.sources:
            raise ValueError(
                f"the head of {self.target!r} tags modality {self.modality!r}, the model has {sorted(fused.sources)}; "
                f"add it to modality=[...] or drop the head from head=[...]"
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
        is_labelled = target != UNLABELLED
        longest = int(is_labelled.any(dim=0).nonzero().max()) + 1
        if longest > logits.shape[1]:
            raise ValueError(
                f"{self.target} labels {longest} word pieces, the {self.modality!r} stream has {logits.shape[1]}; "
                f"tags and text must come from one tokenizer: fix data.modalities.{self.modality}"
            )
        is_labelled = is_labelled[:, :longest]
        return F.cross_entropy(logits[:, :longest][is_labelled], target[:, :longest][is_labelled])

    def weight(self, target: Tensor) -> Tensor:
        """Labelled word pieces."""
        return (target != UNLABELLED).sum()

    def predict(self, fused: Fused) -> Tensor:
        """The most likely class of every word piece: (B, T), "O" where there is none."""
        return self.logits(fused).argmax(dim=-1)
