"""Write the plan: a small causal decoder that reads the fused tokens."""

# Shapes: B people, P plan tokens, Q fused tokens, D fused width, W decoder width, V vocabulary.

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import TokenSet
from fusion.heads.base import Head
from fusion.layers import Attention, FeedForward, KeysValues
from fusion.plan import load_tokenizer

if TYPE_CHECKING:
    from fusion.plan.tokenizer import PlanTokenizer

UNLABELLED = -100
EMBEDDING_SCALE = 0.02  # as GPT-2 (Radford et al. 2019); larger makes tied logits start far from uniform


class PlanHead(Head):
    """Pre-norm transformer decoder with tied embeddings over the plan vocabulary.

    Targets are token ids after <bos>, <eos> included, -100 beyond; a row of -100 has no plan.
    ``max_length``: tokens of the longest plan, as the tokenizer knows it where None.
    """

    is_generative = True

    def __init__(
        self,
        *,
        dim: int,
        width: int,
        num_layers: int,
        num_heads: int,
        dropout: float,
        max_length: int | None = None,
        tokenizer: PlanTokenizer | None = None,
    ) -> None:
        super().__init__()
        tokenizer = tokenizer or load_tokenizer()
        self.bos_id, self.eos_id, self.pad_id = tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id
        self.max_length = max_length or tokenizer.max_length
        self.memory = nn.Sequential(nn.Linear(dim, width), nn.LayerNorm(width))
        self.embed = nn.Embedding(tokenizer.vocab_size, width)
        self.position = nn.Embedding(self.max_length, width)
        nn.init.normal_(self.embed.weight, std=EMBEDDING_SCALE)
        nn.init.normal_(self.position.weight, std=EMBEDDING_SCALE)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(_Layer(width, num_heads, dropout) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, fused: TokenSet, target: Tensor | None = None) -> Tensor:
        """Teacher-forced logits (B, P, V): position p has read <bos> and ``target`` (B, P) before p."""
        if target is None:
            raise ValueError("the plan head is taught by its target, got None; call predict or generate for an answer")
        if target.shape[1] > self.max_length:
            raise ValueError(
                f"plan target has {target.shape[1]} tokens, the head writes at most {self.max_length}; "
                f"set model.heads.plan.max_length"
            )
        read = torch.full_like(target, self.bos_id)
        read[:, 1:] = target[:, :-1].masked_fill(target[:, :-1] == UNLABELLED, self.pad_id)
        memory = self.memory(fused.tokens)
        x = self._embed(read, start=0)
        for layer in self.layers:
            x, _ = layer(x, layer.read.read(memory))
        return self._logits(x)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross entropy of logits (B, P, V) and ids (B, P), mean over all labelled tokens."""
        if not self.is_labelled(target).any():
            return logits.sum() * 0
        return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=UNLABELLED)

    def weight(self, target: Tensor) -> Tensor:
        """Labelled tokens."""
        return (target != UNLABELLED).sum()

    def predict(self, fused: TokenSet) -> Tensor:
        """The most likely plan as ids (B, P)."""
        return self.generate(fused)

    def is_labelled(self, target: Tensor) -> Tensor:
        """(B,) bool."""
        return (target != UNLABELLED).any(dim=1)

    @torch.no_grad()
    def generate(self, fused: TokenSet, max_length: int | None = None) -> Tensor:
        """Greedy ids (B, P) after <bos>, <eos> included and <pad> beyond it; ends when every row has ended."""
        memory = self.memory(fused.tokens)
        contexts = [layer.read.read(memory) for layer in self.layers]
        past: list[KeysValues | None] = [None] * len(self.layers)
        last = torch.full((len(memory), 1), self.bos_id, device=memory.device)
        is_done = torch.zeros_like(last, dtype=torch.bool)
        written = []
        for position in range(max_length or self.max_length):
            x = self._embed(last, start=position)
            for i, layer in enumerate(self.layers):
                x, past[i] = layer(x, contexts[i], past[i])
            last = self._logits(x).argmax(dim=-1).masked_fill(is_done, self.pad_id)
            written.append(last)
            is_done |= last == self.eos_id
            if is_done.all():
                break
        return torch.cat(written, dim=1)

    def _embed(self, ids: Tensor, start: int) -> Tensor:
        """(B, P) ids at positions from ``start`` -> (B, P, W)."""
        return self.dropout(self.embed(ids) + self.position.weight[start : start + ids.shape[1]])

    def _logits(self, x: Tensor) -> Tensor:
        """(B, P, W) -> (B, P, V) with the embedding's own weights."""
        return F.linear(self.norm(x), self.embed.weight)


class _Layer(nn.Module):
    """Look back over the plan, read the person, think: each pre-norm and residual."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.look_back = Attention(dim=width, num_heads=num_heads, dropout=dropout)
        self.read = Attention(dim=width, num_heads=num_heads, dropout=dropout)
        self.feed_forward = FeedForward(dim=width, hidden=4 * width, dropout=dropout)

    def forward(self, x: Tensor, context: KeysValues, past: KeysValues | None = None) -> tuple[Tensor, KeysValues]:
        """(B, P, W) -> the same, and keys and values of all tokens so far. With ``past``, x is one new token."""
        y = self.norms[0](x)
        seen = self.look_back.read(y) if past is None else past.append(self.look_back.read(y))
        x = x + self.look_back(y, seen, is_causal=past is None)
        x = x + self.read(self.norms[1](x), context)
        return x + self.feed_forward(self.norms[2](x)), seen
