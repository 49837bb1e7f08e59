"""What every fusion promises to the model."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from fusion.batch import TokenSet


class Fusion(nn.Module, ABC):
    """Join the token sets of all modalities into one fused set of width ``dim``.

    A row may lack any modality, or all of them: then the answer is the learned prior, never NaN.
    """

    dim: int

    @abstractmethod
    def forward(self, token_sets: dict[str, TokenSet]) -> TokenSet:
        """{modality: tokens (B, N_m, dim)} -> fused tokens (B, Q, dim), all valid."""
