"""What every head promises to the model, the training and the reports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from fusion.batch import Fused
from fusion.targets import labelled_rows


class Head(nn.Module, ABC):
    """Answer one target from the fused tokens; two heads may answer the same.

    ``target``: its name in ``data.targets``; ``names``: as the target has them; ``loss_weight``: of this head in what
    training minimises; ``is_auxiliary``: there for the sake of other heads, so reports name it last.
    ``kind``: of fusion.targets.KINDS. ``is_generative``: ``predict`` writes token by token, so it is run at the end of
    training only. ``has_statistics``: ``fit`` wants the targets of the train split.
    """

    kind: ClassVar[str]
    is_generative: ClassVar[bool] = False
    has_statistics: ClassVar[bool] = False

    def __init__(self, *, target: str, names: Sequence[str], loss_weight: float, is_auxiliary: bool = False) -> None:
        super().__init__()
        self.target, self.names = target, tuple(names)
        self.loss_weight, self.is_auxiliary = loss_weight, is_auxiliary

    def bind(self, heads: Mapping[str, Head]) -> None:
        """Called once by the model: a head that builds on the answers of others takes hold of them here."""

    def balance(self, counts: Sequence[int]) -> None:
        """Weigh every class by the inverse of its train ``counts``; a head without classes has nothing to weigh."""

    def fit(self, targets: Tensor) -> None:
        """Take statistics from the targets of the train split; they are saved with the weights."""

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
        """The answer a person reads: probabilities (B, K), numbers (B, P), token ids (B, P) or a tag a piece (B, T)."""

    def is_labelled(self, target: Tensor) -> Tensor:
        """(B,) bool, True where ``target`` holds a label."""
        return labelled_rows(self.kind, target)

    def logits(self, fused: Fused) -> Tensor:
        """``forward``, computed once for all heads that build on this one.

        In evaluation only: while training every reader draws its own dropout.
        """
        if self.training or fused.logits is None:
            return self(fused)
        if self not in fused.logits:
            fused.logits[self] = self(fused)
        return fused.logits[self]


class ClassesHead(Head):
    """A head that says one of several classes, each of which may weigh differently in its loss.

    ``class_weights``: one number a class, in the order of ``names``; all 1 until they are set or balanced.
    """

    kind = "classes"

    def __init__(self, *, target: str, names: Sequence[str], loss_weight: float, is_auxiliary: bool = False) -> None:
        super().__init__(target=target, names=names, loss_weight=loss_weight, is_auxiliary=is_auxiliary)
        self.register_buffer("class_weights", torch.ones(len(names)), persistent=False)

    def balance(self, counts: Sequence[int]) -> None:
        """Weigh every class by the inverse of its train ``counts``; the mean weight of a record stays 1."""
        if min(counts) == 0:
            raise ValueError(f"no train record of {self.names[list(counts).index(0)]!r}; set class_weights=none")
        self.class_weights.copy_(sum(counts) / (len(counts) * torch.tensor(counts)))

    def weight(self, target: Tensor) -> Tensor:
        """Sum of the class weights of the labelled rows."""
        return self.class_weights[target[self.is_labelled(target)]].sum()

    def predict(self, fused: Fused) -> Tensor:
        """Probabilities (B, K)."""
        return self.logits(fused).softmax(dim=-1)
