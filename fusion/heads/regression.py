"""Say how much: several numbers at once, each in its own unit, any of them unlabelled."""

# Shapes: B people, Q fused tokens, D width, P targets.

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import Fused
from fusion.heads.base import Head

LOSSES = ("huber", "gaussian_nll")
SMALLEST = 1e-6  # of a standard deviation or variance


class RegressionHead(Head):
    """Pool the fused tokens by learned attention, then one linear layer in standard deviations of the train split.

    ``names``: of the numbers; NaN in a target tensor (B, P) is unlabelled. Mean and standard deviation of every
    target come from ``fit`` and are saved with the weights; without them the head refuses to answer.
    ``loss`` "huber" is quadratic within one standard deviation and linear beyond (Huber 1964); "gaussian_nll" learns a
    variance a target as well (Nix & Weigend 1994), and the answer is the mean.
    """

    kind = "numbers"
    has_statistics = True

    def __init__(
        self, *, target: str, names: Sequence[str], loss_weight: float, dim: int, dropout: float, loss: str
    ) -> None:
        super().__init__(target=target, names=names, loss_weight=loss_weight)
        if loss not in LOSSES:
            raise ValueError(f"the head of {target!r} has loss {loss!r}, expected one of {LOSSES}; set its loss")
        self.likelihood = loss
        self.register_buffer("mean", torch.full((len(names),), torch.nan))
        self.register_buffer("spread", torch.full((len(names),), torch.nan))
        self.score = nn.Linear(dim, 1)
        num_outputs = len(names) * (2 if loss == "gaussian_nll" else 1)
        self.estimate = nn.Sequential(nn.Dropout(dropout), nn.Linear(dim, num_outputs))

    def fit(self, targets: Tensor) -> None:
        """Take mean and standard deviation of every target from the train split's (B, P)."""
        for name, column in zip(self.names, targets.unbind(1), strict=True):
            if column.isfinite().sum() < 2:
                raise ValueError(
                    f"fewer than 2 train records are labelled with {name!r}; drop it from "
                    f"data.targets.{self.target}.names"
                )
        mean = targets.nanmean(0)
        self.mean.copy_(mean)
        self.spread.copy_((targets - mean).square().nanmean(0).sqrt().clamp(min=SMALLEST))

    def forward(self, fused: Fused, target: Tensor | None = None) -> Tensor:
        """``fused`` (B, Q, D) -> (B, P) in standard deviations, or (B, P, 2) with the log variance beside."""
        weights = self.score(fused.tokens).softmax(dim=1)
        answer = self.estimate((weights * fused.tokens).sum(dim=1))
        return answer.unflatten(1, (len(self.names), 2)) if self.likelihood == "gaussian_nll" else answer

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Mean loss over the labelled numbers of ``target`` (B, P), in its own units."""
        known = target.isfinite()
        if not known.any():
            return logits.sum() * 0
        wanted = ((target - self._statistics()[0]) / self.spread)[known]
        if self.likelihood == "gaussian_nll":
            return F.gaussian_nll_loss(logits[..., 0][known], wanted, logits[..., 1][known].exp(), eps=SMALLEST)
        return F.huber_loss(logits[known], wanted)

    def weight(self, target: Tensor) -> Tensor:
        """Labelled numbers."""
        return target.isfinite().sum()

    def predict(self, fused: Fused) -> Tensor:
        """The numbers (B, P) in their own units."""
        mean, spread = self._statistics()
        answer = self.logits(fused)
        return (answer[..., 0] if self.likelihood == "gaussian_nll" else answer) * spread + mean

    def _statistics(self) -> tuple[Tensor, Tensor]:
        if not self.mean.isfinite().all():
            raise ValueError(
                f"no statistics of {self.target!r} ({', '.join(self.names)}); call fit with the train split's targets "
                f"or load the weights of a trained model"
            )
        return self.mean, self.spread
