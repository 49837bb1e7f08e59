"""Encode a voice with a pretrained speaker-verification network."""

# Shapes: B people, T mel frames, n windows, F features of a window (512), D width.

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import Stream, TokenSet
from fusion.encoders.base import Encoder
from fusion.layers import FeatureDropout
from fusion.masks import masked_mean, patch_mean, patch_valid, patches, remask
from fusion.weights import PRETRAINED, check_weights, find_weights, missing_weights

NUM_MELS, HIDDEN, NUM_LAYERS = 40, 256, 3  # of the published network
WINDOW = 160  # frames of 10 ms that the network was trained on
LOUDNESS = 0.1  # it expects mel power at -30 dBFS; PrepareAudio's equal loudness is -20 dBFS
OFFSET = 1e-6  # that PrepareAudio adds before the logarithm


class SpeakerAudioEncoder(Encoder):
    """A token every 1.6 s: a GE2E speaker embedding (Wan et al. 2018, section 2.1) and the mean of its LSTM's states.

    Trained to tell speakers apart, it hears how somebody speaks. Weights: the package ``resemblyzer`` (extra
    ``voice``), read without importing it. The network is always frozen, so its features may be cached.
    """

    is_cacheable = True

    def __init__(self, *, dim: int, name: str, weights: str, feature_dropout: float = 0.0) -> None:
        super().__init__()
        check_weights(weights)
        self.dim = dim
        self.backbone_identity = {"name": name, "weights": weights}
        self.lstm = nn.LSTM(NUM_MELS, HIDDEN, NUM_LAYERS, batch_first=True)
        self.embed = nn.Linear(HIDDEN, HIDDEN)
        if weights == PRETRAINED:
            _load(self, name)
        self.lstm.requires_grad_(False)
        self.embed.requires_grad_(False)
        self.drop = FeatureDropout(feature_dropout)
        self.project = nn.Sequential(nn.LayerNorm(2 * HIDDEN), nn.Linear(2 * HIDDEN, dim))

    def forward(self, stream: Stream) -> TokenSet:
        """``values`` (B, T, 40) natural log of mel power, or (B, n, 512) from ``features`` -> tokens (B, n, D)."""
        values, valid, time_s = stream if stream.values.shape[-1] == 2 * HIDDEN else self.features(stream)
        tokens = self.project(self.drop(remask(values, valid).to(self.project[1].weight.dtype)))
        return TokenSet(remask(tokens, valid), valid, time_s)

    @torch.no_grad()
    def features(self, stream: Stream) -> Stream:
        """Embedding and mean state of every window: (B, T, 40) -> (B, n, 512)."""
        values, valid, time_s = stream
        self.check(values)
        power = LOUDNESS * (values.exp() - OFFSET).clamp(min=0)
        windows = patches(remask(power, valid), WINDOW).flatten(0, 1)
        steps = patches(valid, WINDOW).flatten(0, 1)
        states, _ = self.lstm(windows)
        last = (steps * torch.arange(WINDOW, device=steps.device)).argmax(dim=1)
        embedding = F.normalize(self.embed(states[torch.arange(len(last)), last]).relu(), dim=1)
        features = torch.cat([embedding, masked_mean(states, steps)], dim=1).unflatten(0, (len(values), -1))
        window_valid = patch_valid(valid, WINDOW)
        return Stream(remask(features, window_valid), window_valid, patch_mean(time_s, valid, WINDOW))

    def check(self, values: Tensor) -> None:
        if values.shape[-1] != NUM_MELS:
            raise ValueError(
                f"stream {self.stream_name!r} has num_mels={values.shape[-1]}, the speaker network reads {NUM_MELS}; "
                f"set data.modalities.{self.stream_name}.prepare.num_mels"
            )


def _load(encoder: SpeakerAudioEncoder, name: str) -> None:
    path = find_weights(name)
    try:
        state: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")["model_state"]
    except FileNotFoundError as error:
        raise missing_weights(name) from error
    encoder.lstm.load_state_dict({k.removeprefix("lstm."): v for k, v in state.items() if k.startswith("lstm.")})
    encoder.embed.load_state_dict({k.removeprefix("linear."): v for k, v in state.items() if k.startswith("linear.")})
