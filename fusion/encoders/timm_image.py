"""Encode food photos with any timm backbone; the normalisation travels with the weights."""

# Shapes: B people, T photos, H x W pixels, n map positions a photo, F feature width, D width.

from __future__ import annotations

from pathlib import Path

import timm
import torch
from einops import rearrange
from timm.layers import Conv2dSame
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from fusion.batch import Stream, TokenSet
from fusion.encoders.base import Encoder
from fusion.layers import FeatureDropout
from fusion.masks import patch_mean, patch_valid, patches, remask
from fusion.weights import PACKAGED, PRETRAINED, check_weights, find_weights, missing_weights

ARCHITECTURES = {"efficientnet_lite0": "tf_efficientnet_lite0"}  # packaged weights: the timm name they fit


class TimmImageEncoder(Encoder):
    """Give every position of a backbone's last feature map, and their mean per photo, as tokens.

    ``name`` is a timm name, or efficientnet_lite0 whose ImageNet weights come from an installed package (Tan and Le
    2019). Photos arrive as uint8 of ``image_size`` squared. BatchNorm always runs on its stored statistics:
    otherwise the answer for one person would depend on who else is in the batch. A frozen backbone may be cached.
    """

    def __init__(
        self, *, dim: int, name: str, weights: str, is_frozen: bool, image_size: int, feature_dropout: float = 0.0
    ) -> None:
        super().__init__()
        check_weights(weights)
        self.dim = dim
        self.image_size = image_size
        self.is_frozen = self.is_cacheable = is_frozen
        self.backbone_identity = {"name": name, "weights": weights}
        self.backbone = _load(name) if weights == PRETRAINED else timm.create_model(ARCHITECTURES.get(name, name))
        self.backbone.reset_classifier(0)
        mean, std = self.backbone.pretrained_cfg["mean"], self.backbone.pretrained_cfg["std"]
        if hasattr(self.backbone, "set_input_size") and self.backbone.pretrained_cfg["input_size"][-1] != image_size:
            self.backbone.set_input_size((image_size, image_size))  # a ViT's positions are resampled
        self.backbone = self.backbone.to(memory_format=torch.channels_last).requires_grad_(not is_frozen)
        if not is_frozen:
            _train_depthwise_in_full(self.backbone)
        # 0..255, so that uint8 photos need no other scaling
        self.register_buffer("mean", 255 * torch.tensor(mean)[:, None, None])
        self.register_buffer("std", 255 * torch.tensor(std)[:, None, None])
        self.project = nn.Linear(self.backbone.num_features, dim)
        self.drop = FeatureDropout(feature_dropout)
        self.train()
        with torch.no_grad():
            self.positions = self._maps(torch.zeros(1, 3, image_size, image_size)).shape[1]

    def train(self, mode: bool = True) -> TimmImageEncoder:
        """Train as any module, but leave BatchNorm, and all of a frozen backbone, in evaluation mode."""
        super().train(mode)
        for module in self.backbone.modules():
            if self.is_frozen or isinstance(module, _BatchNorm):
                module.training = False
        return self

    def forward(self, stream: Stream) -> TokenSet:
        """``values`` (B, T, 3, H, W) uint8, or (B, T n, F) from ``features`` -> T n tokens, then T summaries.

        Tokens (B, T n + T, D); every token of a photo has the photo's time.
        """
        values, valid, time_s = stream if stream.values.ndim == 3 else self._features(stream)
        size = self.positions
        features = patches(remask(values, valid), size).flatten(1, 2).to(self.project.weight.dtype)
        tokens = self.project(self.drop(features))
        valid, time_s = patches(valid, size).flatten(1, 2), patches(time_s, size).flatten(1, 2)
        photo_valid = patch_valid(valid, size)
        tokens = torch.cat([tokens, patch_mean(tokens, valid, size)], dim=1)
        token_valid = torch.cat([valid, photo_valid], dim=1)
        token_time_s = torch.cat([time_s, patch_mean(time_s, valid, size)], dim=1)
        return TokenSet(remask(tokens, token_valid), token_valid, token_time_s)

    def check(self, values: Tensor) -> None:
        if values.shape[-2:] != (self.image_size, self.image_size):
            raise self.misfit("image_size", tuple(values.shape[-2:]), (self.image_size, self.image_size))

    def features(self, stream: Stream) -> Stream:
        """Feature maps of the frozen backbone: photos (B, T, 3, H, W) -> (B, T n, F), n positions after one another."""
        return self._features(stream) if self.is_cacheable else super().features(stream)

    def _features(self, stream: Stream) -> Stream:
        """Run the backbone over the valid photos only."""
        values, valid, time_s = stream
        self.check(values)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_frozen):
            maps = self._maps(values[valid])
        features = maps.new_zeros(*valid.shape, *maps.shape[1:])
        features[valid] = maps
        spread = [part.repeat_interleave(self.positions, dim=1) for part in (valid, time_s)]
        return Stream(features.flatten(1, 2), *spread)

    def _maps(self, photos: Tensor) -> Tensor:
        """Normalise and encode (P, 3, H, W) in 0..255 -> (P, n, F), whatever layout the backbone speaks."""
        photos = (photos.to(self.mean.dtype) - self.mean) / self.std
        maps = self.backbone.forward_features(photos.contiguous(memory_format=torch.channels_last))
        if maps.ndim == 3:  # a ViT: class and register tokens come first
            return maps[:, self.backbone.num_prefix_tokens :]
        is_nhwc = getattr(self.backbone, "output_fmt", "NCHW") == "NHWC"
        return maps.flatten(1, 2) if is_nhwc else rearrange(maps, "p f h w -> p (h w) f")


class _InFull:
    """A convolution that autocast leaves alone on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


class _DepthwiseConv2d(_InFull, nn.Conv2d):
    pass


class _DepthwiseConv2dSame(_InFull, Conv2dSame):
    pass


def _train_depthwise_in_full(backbone: nn.Module) -> None:
    """Keep depthwise convolutions out of bf16: there their backward pass is 3 x (stride 2: 7 x) slower on a CPU."""
    in_full = {nn.Conv2d: _DepthwiseConv2d, Conv2dSame: _DepthwiseConv2dSame}
    for module in backbone.modules():
        if type(module) in in_full and module.groups == module.in_channels > 1:
            module.__class__ = in_full[type(module)]  # weights, names and arithmetic stay


def _load(name: str) -> nn.Module:
    """A backbone with the pretrained weights of ``name``."""
    path = find_weights(name)
    if name in PACKAGED:
        backbone = timm.create_model(ARCHITECTURES[name])
        # the packaged file has the tensors of timm's model in the same order under older names
        state = torch.load(path, weights_only=True, map_location="cpu")
        backbone.load_state_dict(dict(zip(backbone.state_dict(), state.values(), strict=True)))
        return backbone
    try:
        return timm.create_model(f"local-dir:{path}" if Path(path).is_dir() else path, pretrained=True)
    except (OSError, RuntimeError) as error:
        raise missing_weights(name) from error
