"""Encode a wearable signal of any rate and channel count."""

# Shapes: B people, T time steps, C channels, N patches, D width.

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from fusion.batch import Stream, TokenSet
from fusion.encoders.base import Encoder
from fusion.masked_cnn import MaskedCNN

KERNEL_SIZES = (3, 5, 9, 17)  # at 4 steps a second: from one beat to one breath


class CNN1DEncoder(Encoder):
    """Residual multi-scale 1D CNN over values and missingness: a token every ``patch_s`` seconds and a summary token.

    ``rate_hz`` is the rate of the prepared stream; ``stride`` is how many of its steps the first convolution joins;
    ``kernel_sizes`` count steps after it. About 16 steps a second keep a pulse wave readable and the rest cheap.
    """

    def __init__(
        self,
        *,
        dim: int,
        channels: int,
        rate_hz: float,
        width: int,
        num_blocks: int,
        patch_s: float,
        dropout: float,
        stride: int = 1,
        kernel_sizes: Sequence[int] = KERNEL_SIZES,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.channels = channels
        self.cnn = MaskedCNN(
            dim=dim,
            channels=channels,
            width=width,
            num_blocks=num_blocks,
            kernel_sizes=kernel_sizes,
            stride=stride,
            patch=max(1, round(patch_s * rate_hz / stride)),
            dropout=dropout,
        )

    def forward(self, stream: Stream) -> TokenSet:
        """``values`` (B, T, C) at ``rate_hz`` -> N patch tokens, then the summary token: (B, N + 1, D)."""
        self.check(stream.values)
        return self.cnn(stream)

    def check(self, values: Tensor) -> None:
        if values.shape[-1] != self.channels:
            raise self.misfit("channels", values.shape[-1], self.channels)
