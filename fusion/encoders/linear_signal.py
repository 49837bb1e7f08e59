"""Encode a signal of few steps that each say much, such as the statistics of a whole recording."""

# Shapes: B people, T steps, C channels, D width.

from __future__ import annotations

from torch import Tensor, nn

from fusion.batch import Stream, TokenSet
from fusion.encoders.base import Encoder
from fusion.masks import remask


class LinearSignalEncoder(Encoder):
    """A token for every step: a linear map of its channels, but the first ``num_skipped``.

    For cohorts of few people, whom a network learns by heart. Stress in composed records, validation, mean of three
    splits (AUROC, log loss) from the statistics of 180 s: a linear map of the change from rest .877, .456; of level,
    change and rest .852, .500; two layers on level, change and rest .816, .768 (trained as experiment=composed is).
    """

    def __init__(self, *, dim: int, channels: int, num_skipped: int, dropout: float) -> None:
        super().__init__()
        if not 0 <= num_skipped < channels:
            raise ValueError(
                f"num_skipped={num_skipped} leaves nothing of {channels} channels; set model.encoders.<name>"
            )
        self.dim = dim
        self.channels, self.num_skipped = channels, num_skipped
        self.token = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels - num_skipped, dim))

    def forward(self, stream: Stream) -> TokenSet:
        """``values`` (B, T, C), scaled -> tokens (B, T, D)."""
        values, valid, time_s = stream
        self.check(values)
        tokens = self.token(remask(values, valid)[..., self.num_skipped :])
        return TokenSet(remask(tokens, valid), valid, time_s)

    def check(self, values: Tensor) -> None:
        if values.shape[-1] != self.channels:
            raise self.misfit("channels", values.shape[-1], self.channels)
