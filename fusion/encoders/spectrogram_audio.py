"""Encode a log-mel spectrogram of any length."""

# Shapes: B people, T frames, F mel bands, N patches, D width.

from __future__ import annotations

from fusion.batch import Stream, TokenSet
from fusion.encoders.base import Encoder
from fusion.masked_cnn import MaskedCNN

KERNEL_SIZES = (3, 7)  # frames after the stem: with 10 ms hops and stride 2, an onset and a syllable
STRIDE = 2  # neighbouring frames overlap by more than half


class SpectrogramAudioEncoder(Encoder):
    """1D CNN over time with mel bands as channels: a token every ``patch_s`` seconds and a summary token.

    Bands as channels, because a few hundred clips do not feed a 2D CNN; the summary's statistics of every band carry
    what an SVM on log-mel statistics reads. ``hop_s`` is the time between two frames.
    """

    def __init__(
        self, *, dim: int, num_mels: int, hop_s: float, width: int, num_blocks: int, patch_s: float, dropout: float
    ) -> None:
        super().__init__()
        self.dim = dim
        self.num_mels = num_mels
        self.cnn = MaskedCNN(
            dim=dim,
            channels=num_mels,
            width=width,
            num_blocks=num_blocks,
            kernel_sizes=KERNEL_SIZES,
            stride=STRIDE,
            patch=max(1, round(patch_s / (hop_s * STRIDE))),
            dropout=dropout,
        )

    def forward(self, stream: Stream) -> TokenSet:
        """``values`` (B, T, F) log-mel -> N patch tokens, then the summary token: (B, N + 1, D)."""
        f = stream.values.shape[-1]
        if f != self.num_mels:
            raise ValueError(
                f"audio stream has {f} mel bands, encoder expects {self.num_mels}; "
                f"set data.modalities.<name>.prepare.num_mels"
            )
        return self.cnn(stream)
