"""The model: encoders -> token sets -> fusion -> heads."""

# Shapes: B people, b people who have the modality, N tokens, Q fused tokens, D width, K classes, P plan tokens.

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.batch import GROUPS, Batch, Fused, Stream, TokenSet
from fusion.encoders.base import Encoder
from fusion.fusions.base import Fusion
from fusion.heads.base import Head
from fusion.masks import has_any


class FusionModel(nn.Module):
    """Read any subset of modalities of a person and answer every head in one pass.

    ``encoders`` and ``groups`` are keyed by modality name, ``heads`` by head name. To answer without targets, call
    ``fuse(encode(streams))`` and then ``predict`` of a head in ``heads``.
    ``is_fusion_teaching``: gradients flow from the fused tokens into the encoders. False leaves the encoders to the
    heads that read one group each.
    """

    def __init__(
        self, *, encoders: dict[str, Encoder], groups: dict[str, str], fusion: Fusion, heads: dict[str, Head],
        is_fusion_teaching: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        for name, encoder in encoders.items():
            if groups.get(name) not in GROUPS:
                raise ValueError(f"modality {name!r} has group {groups.get(name)!r}, expected one of {GROUPS}")
            if encoder.dim != fusion.dim:
                raise ValueError(
                    f"encoder {name!r} gives width {encoder.dim}, fusion reads {fusion.dim}; "
                    f"set model.encoders.{name}.dim and model.fusion.dim to the same number"
                )
            encoder.stream_name = name
        self.encoders = nn.ModuleDict(encoders)
        self.groups = dict(groups)
        self.is_fusion_teaching = is_fusion_teaching
        self.fusion = fusion
        self.heads = nn.ModuleDict(heads)
        for head in heads.values():
            head.bind(heads)

    def forward(
        self, batch: Batch, *, with_tokens: bool = False
    ) -> dict[str, Tensor] | tuple[Fused, dict[str, Tensor]]:
        """Logits of every head, (B, K) or (B, P, V); behind the tokens they were read from where these are wanted."""
        fused = self.fuse(self.encode(batch.streams))
        outputs = self.answer(fused, batch.targets)
        return (fused, outputs) if with_tokens else outputs

    def encode(self, streams: dict[str, Stream]) -> dict[str, TokenSet]:
        """Tokens (B, N, D) of every configured modality; where a row lacks it, its tokens are not valid."""
        absent = sorted(self.encoders.keys() - streams.keys())
        if absent:
            raise ValueError(
                f"no stream for {absent}, got {sorted(streams)}; give an absent modality as rows of valid=False"
            )
        return {name: _encode_present(encoder, streams[name]) for name, encoder in self.encoders.items()}

    def fuse(self, token_sets: dict[str, TokenSet]) -> Fused:
        """Join the tokens of all modalities: -> (B, Q, D), all valid."""
        read = token_sets if self.is_fusion_teaching else {n: _untaught(s) for n, s in token_sets.items()}
        return Fused(*self.fusion(read), sources=token_sets, groups=self.groups, logits={})

    def answer(self, fused: Fused, targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits of every head; a teacher-forced head reads its target."""
        return {
            name: head(fused, targets.get(head.target)) if head.is_generative else head.logits(fused)
            for name, head in self.heads.items()
        }


def _untaught(tokens: TokenSet) -> TokenSet:
    """The same tokens, cut off from the encoder that made them."""
    return tokens._replace(tokens=tokens.tokens.detach())


def _encode_present(encoder: Encoder, stream: Stream) -> TokenSet:
    """Run ``encoder`` over the rows that have the modality only, then put its tokens back into all rows.

    Where no row has it, one dummy row runs and none of its tokens is valid: gradients are zeros, never None, so that
    the optimiser and other ranks see the same parameters in every step.
    """
    present = has_any(stream.valid)
    if not present.any():
        tokens, valid, time_s = encoder(encoder.dummy(stream))
        rows = len(present)
        return TokenSet(*(x.expand(rows, *x.shape[1:]) for x in (tokens * 0, torch.zeros_like(valid), time_s)))
    encoded = encoder(Stream(*(x[present] for x in stream)))
    return TokenSet(*(x.new_zeros(len(present), *x.shape[1:]).index_put((present,), x) for x in encoded))
