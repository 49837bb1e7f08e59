"""What every objective promises to the training."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from fusion.batch import Batch, Fused
from fusion.model import FusionModel


class Objective(nn.Module, ABC):
    """What training minimises, seen from everything a step computes."""

    @abstractmethod
    def forward(
        self, model: FusionModel, batch: Batch, fused: Fused, outputs: dict[str, Tensor],
        shares: dict[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:  # fmt: skip
        """-> {"loss": scalar to minimise, name: a scalar of its own to be logged, ...}

        ``fused``: tokens, and the token set of every modality in ``fused.sources``. ``outputs``: logits by head.
        ``shares``: by head, a factor on its loss in the sum (of several ranks' unequal parts of a batch); None = 1.
        """
