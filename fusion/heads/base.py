"""What every head promises to the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from fusion.batch import Fused


class Head(nn.Module, ABC):
    """Answer one question from the fused tokens.

    ``is_generative``: ``predict`` writes token by token, so it is run at the end of training only.
    """

    is_generative: bool = False

    def bind(self, heads: Mapping[str, Head]) -> None:
        """Called once by the model: a head that builds on the answers of others takes hold of them here."""

    @abstractmethod
    def forward(self, fused: Fused, target: Tensor | None = None) -> Tensor:
        """``fused`` (B, Q, D) -> logits, (B, K), (B, P, V) or (B, T, K); only teacher-forced heads read ``target``."""

    @abstractmethod
    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Mean loss over labelled rows (scalar); exactly 0, still attached to the graph, where no row is labelled."""

    def weight(self, target: Tensor) -> Tensor:
        """How much ``loss`` is a mean over (scalar): labelled rows here. Batches and ranks are averaged by it."""
        return self.is_labelled(target).sum()

    @abstractmethod
    def predict(self, fused: Fused) -> Tensor:
        """The answer a person reads: probabilities (B, K), token ids (B, P) or a class per step (B, T)."""

    @abstractmethod
    def is_labelled(self, target: Tensor) -> Tensor:
        """(B,) bool, True where ``target`` holds a label."""
