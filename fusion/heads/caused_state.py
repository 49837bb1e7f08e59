"""Say the health state through its causes: a concept bottleneck with a learned rule."""

# Shapes: B people, Q fused tokens, D width, K states, C cells = every combination of the causes' classes.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import TokenSet
from fusion.heads.base import ClassesHead, Head
from fusion.targets import UNLABELLED

RULE_SCALE = 10.0  # a rule is learned in a few epochs at the rate of the other weights
SMALLEST = 1e-6  # under a logarithm


class CausedStateHead(ClassesHead):
    """P(state) = sum over cells of P(cell) P(state | cell), with both factors learned.

    ``causes`` names other heads of the model and their classes, e.g. words: [calm, stressed]; P(cell) is proportional
    to the product of their beliefs times a learned prior of the cell, and P(state | cell) is a learned table, ``rule``.
    A concept bottleneck (Koh et al. 2020) that keeps the doubt about each cause.
    """

    def __init__(
        self, *, target: str, names: Sequence[str], loss_weight: float, causes: Mapping[str, Sequence[str]]
    ) -> None:
        super().__init__(target=target, names=names, loss_weight=loss_weight)
        if not causes:
            raise ValueError(
                "a caused state needs causes: names of other heads with their classes; or use ClassifyHead"
            )
        self.causes = {name: tuple(values) for name, values in causes.items()}
        num_cells = prod(len(values) for values in self.causes.values())
        self.log_prior = nn.Parameter(torch.zeros(num_cells))
        self.table = nn.Parameter(0.01 * torch.randn(num_cells, len(names)))

    def bind(self, heads: Mapping[str, Head]) -> None:
        """Take hold of the heads of the causes; they stay the model's own modules."""
        for name, values in self.causes.items():
            if name not in heads:
                raise ValueError(f"cause {name!r} is no head of this model, got {sorted(heads)}; add it to head=[...]")
            if heads[name].names != values:
                raise ValueError(f"cause {name!r} has classes {values}, its head says {heads[name].names}")
        self._heads = tuple(heads[name] for name in self.causes)  # a tuple: not registered a second time

    @property
    def rule(self) -> Tensor:
        """P(state | cell): (C, K), cells in the order of itertools.product over the causes."""
        return (RULE_SCALE * self.table).softmax(dim=-1)

    def forward(self, fused: TokenSet, target: Tensor | None = None) -> Tensor:
        """``fused`` (B, Q, D) -> log probabilities (B, K)."""
        beliefs = [head.logits(fused).log_softmax(dim=-1) for head in self._heads]
        joint = reduce(lambda left, right: (left[:, :, None] + right[:, None, :]).flatten(1), beliefs)
        cells = (joint + RULE_SCALE * self.log_prior).softmax(dim=-1)
        return (cells @ self.rule).clamp(min=SMALLEST).log()

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Weighted negative log likelihood of log probabilities (B, K) and class indices (B,); -100 is unlabelled."""
        if not self.is_labelled(target).any():
            return logits.sum() * 0
        return F.nll_loss(logits, target, self.class_weights, ignore_index=UNLABELLED)
