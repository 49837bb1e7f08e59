"""Write the plan: a small causal decoder that reads the fused tokens."""

# Shapes: B people, P plan tokens, Q fused tokens, D fused width, W decoder width, V vocabulary.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import Fused, TokenSet
from fusion.beliefs import Beliefs
from fusion.decoding.cached import CachedWriter
from fusion.decoding.generate import generate
from fusion.heads.base import Head
from fusion.layers import Attention, Dropout, FeedForward
from fusion.plan import load_tokenizer
from fusion.plan.findings import FINDING_OF
from fusion.plan.language.automaton import longest
from fusion.plan.rules.limits import NO_LIMITS, Limits
from fusion.targets import UNLABELLED

if TYPE_CHECKING:
    from fusion.plan.language.tokenizer import PlanTokenizer

EMBEDDING_SCALE = 0.02  # as GPT-2 (Radford et al. 2019); larger makes tied logits start far from uniform


class PlanHead(Head):
    """Pre-norm transformer decoder with tied embeddings over the plan vocabulary.

    Targets are token ids after <bos>, <eos> included, -100 beyond; a row of -100 has no plan.
    ``max_length``: tokens of the longest plan, as the tokenizer knows it where None.
    ``is_constrained``: plans always parse, within the limits given or, where none are, within the schema.
    ``reads``: other heads and their classes, whose beliefs the decoder reads beside the fused tokens. With limits, a
    plan cites a finding (fusion/plan/findings.py) only where its head's belief is ``least_belief``.
    """

    kind = "plan"
    is_generative = True

    def __init__(
        self,
        *,
        target: str,
        loss_weight: float,
        dim: int,
        width: int,
        num_layers: int,
        num_heads: int,
        dropout: float,
        max_length: int | None = None,
        is_constrained: bool = False,
        reads: Mapping[str, Sequence[str]] | None = None,
        least_belief: float = 0.0,
        tokenizer: PlanTokenizer | None = None,
    ) -> None:
        super().__init__(target=target, names=(), loss_weight=loss_weight)
        self.tokenizer = tokenizer = tokenizer or load_tokenizer()
        self.bos_id, self.eos_id, self.pad_id = tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id
        self.max_length = max_length or tokenizer.max_length
        self.is_constrained = is_constrained
        if is_constrained and self.max_length < longest(NO_LIMITS):
            raise ValueError(
                f"max_length={self.max_length} may cut plans off, the longest takes {longest(NO_LIMITS)} tokens; "
                f"raise model.heads.plan.max_length or set is_constrained=false"
            )
        self.least_belief = least_belief
        self.finding_of = {name: FINDING_OF[name] for name in reads or () if name in FINDING_OF}
        self.memory = nn.Sequential(nn.Linear(dim, width), nn.LayerNorm(width))
        self.beliefs = Beliefs(heads=reads, width=width) if reads else None
        self.embed = nn.Embedding(tokenizer.vocab_size, width)
        self.position = nn.Embedding(self.max_length, width)
        nn.init.normal_(self.embed.weight, std=EMBEDDING_SCALE)
        nn.init.normal_(self.position.weight, std=EMBEDDING_SCALE)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(_Layer(width, num_heads, dropout) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)

    def bind(self, heads: Mapping[str, Head]) -> None:
        """Take hold of the heads it reads."""
        if self.beliefs:
            self.beliefs.bind(heads)

    def forward(self, fused: Fused, target: Tensor | None = None) -> Tensor:
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
        memory = self._memory(fused)
        x = self.dropout(self.embed(read) + self.position.weight[: read.shape[1]])
        for layer in self.layers:
            x = layer(x, memory)
        return F.linear(self.norm(x), self.embed.weight)  # tied: the embedding's own weights

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross entropy of logits (B, P, V) and ids (B, P), mean over all labelled tokens."""
        if not self.is_labelled(target).any():
            return logits.sum() * 0
        return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=UNLABELLED)

    def weight(self, target: Tensor) -> Tensor:
        """Labelled tokens."""
        return (target != UNLABELLED).sum()

    def predict(self, fused: TokenSet, limits: Sequence[Limits] | None = None) -> Tensor:
        """The plan as ids (B, P): the most likely token at every place, within the ``limits`` of every person."""
        if limits is not None and self.finding_of:
            sure = self.beliefs.sure(fused, self.finding_of, self.least_belief)
            judged = {finding for findings in self.finding_of.values() for finding in findings.values()}
            unjudged = [tuple(f for f in limit.findings if f not in judged) for limit in limits]
            claims = [Limits(findings=a + b) for a, b in zip(sure, unjudged, strict=True)]
            limits = [limit.both(claim) for limit, claim in zip(limits, claims, strict=True)]
        return self.generate(fused, limits=limits)

    def generate(
        self, fused: TokenSet, *, limits: Sequence[Limits] | None = None, method: str = "greedy", **options: Any
    ) -> Tensor:
        """Ids (B, P) after <bos>, <eos> included and <pad> beyond it; ends when every row has ended.

        ``limits`` (one a person) hold every plan to their language. ``method``: "greedy", "beam" (``num_beams``) or
        "sample" (``temperature``, ``top_p``, ``generator``).
        """
        if limits is None and self.is_constrained:
            limits = [NO_LIMITS] * len(fused.tokens)
        with torch.inference_mode():
            writer = self._writer(fused)
            where = {"device": fused.tokens.device, "tokenizer": self.tokenizer}
            ids = generate(writer, len(fused.tokens), limits=limits, method=method, **where, **options)
        return ids.clone()  # an ordinary tensor, whatever is done with it

    def _writer(self, fused: Fused) -> CachedWriter:
        return CachedWriter(
            bos_id=self.bos_id,
            eos_id=self.eos_id,
            pad_id=self.pad_id,
            embed=self.embed.weight,
            position=self.position.weight[: self.max_length],
            layers=self.layers,
            norm=self.norm,
            memory=self._memory(fused),
        )

    def _memory(self, fused: Fused) -> Tensor:
        """What every layer reads: the fused tokens and the beliefs of other heads, (B, Q + heads, W)."""
        memory = self.memory(fused.tokens)
        return torch.cat([memory, self.beliefs(fused)], dim=1) if self.beliefs else memory


class _Layer(nn.Module):
    """Look back over the plan, read the person, think: each pre-norm and residual."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.look_back = Attention(dim=width, num_heads=num_heads, dropout=dropout)
        self.read = Attention(dim=width, num_heads=num_heads, dropout=dropout)
        self.feed_forward = FeedForward(dim=width, hidden=4 * width, dropout=dropout)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """``x`` (B, P, W) reads itself, then memory (B, Q, W)."""
        y = self.norms[0](x)
        x = x + self.look_back(y, y, is_causal=True)
        x = x + self.read(self.norms[1](x), memory)
        return x + self.feed_forward(self.norms[2](x))
