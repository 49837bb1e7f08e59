"""Write with a transformer decoder that keeps what it has read: one new token a row costs one pass over it alone."""

# Shapes: N rows being written, P tokens, Q tokens read, H heads, d width of a head, W width, V vocabulary.

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.layers import Attention, FeedForward


class DecoderLayer(Protocol):
    """Look back, read, think: each pre-norm and residual."""

    norms: nn.ModuleList
    look_back: Attention
    read: Attention
    feed_forward: FeedForward


class CachedWriter:
    """A decoder in the middle of writing (fusion.decoding.rows.Writer), its weights laid out for single tokens.

    At these sizes a step costs its operators, not its arithmetic: queries, keys and values are one product, there is
    room for all tokens from the start, weights are plain tensors. On a CPU it computes in float32 whatever the weights
    are: half precision took 1.3 to 4 times as long for each product and attention (benchmarks/decode.py).
    """

    def __init__(
        self,
        *,
        bos_id: int,
        eos_id: int,
        pad_id: int,
        embed: Tensor,
        position: Tensor,
        layers: Iterable[DecoderLayer],
        norm: nn.LayerNorm,
        memory: Tensor,
    ) -> None:
        self.bos_id, self.eos_id, self.pad_id, self.max_length = bos_id, eos_id, pad_id, len(position)
        dtype = torch.float32 if embed.device.type == "cpu" else embed.dtype
        self.embed, self.position = embed.to(dtype), position.to(dtype)
        self.layers = [_Layer(layer, memory, self.max_length, dtype) for layer in layers]
        self.norm = _norm(norm, dtype)
        self.length = 0

    def step(self, last: Tensor) -> Tensor:
        """The last token of every row (N,) -> logits of the next (N, V)."""
        x = F.embedding(last, self.embed) + self.position[self.length]
        for layer in self.layers:
            x = layer.step(x, self.length)
        self.length += 1
        return F.linear(F.layer_norm(x, *self.norm), self.embed)

    def select(self, rows: Tensor) -> None:
        """Keep ``rows`` only, in this order."""
        for layer in self.layers:
            layer.select(rows, self.length)


class _Layer:
    """One layer for one new token a row: ``past`` (2, N, H, P, d) and ``context`` (2, N, H, Q, d), keys and values."""

    def __init__(self, layer: DecoderLayer, memory: Tensor, max_length: int, dtype: torch.dtype) -> None:
        own, read, (up, _, down, _) = layer.look_back, layer.read, layer.feed_forward
        self.norms = [_norm(norm, dtype) for norm in layer.norms]
        self.look = (
            torch.cat([own.query.weight, own.key_value.weight]).to(dtype),
            torch.cat([own.query.bias, own.key_value.bias]).to(dtype),
        )
        self.look_out, self.read, self.read_out, self.up, self.down, key_value = (
            (linear.weight.to(dtype), linear.bias.to(dtype))
            for linear in (own.out, read.query, read.out, up, down, read.key_value)
        )
        self.num_heads = read.num_heads
        context = F.linear(memory.to(dtype), *key_value).unflatten(2, (2, self.num_heads, -1))
        self.context = context.permute(2, 0, 3, 1, 4).contiguous()
        _, num_rows, _, _, width = self.context.shape
        self.past = self.context.new_empty(2, num_rows, self.num_heads, max_length, width)

    def step(self, x: Tensor, position: int) -> Tensor:
        """(N, W) -> (N, W)."""
        num_rows, width = x.shape
        query, new = F.linear(F.layer_norm(x, *self.norms[0]), *self.look).split([width, 2 * width], dim=1)
        self.past[:, :, :, position] = new.view(num_rows, 2, self.num_heads, -1).transpose(0, 1)
        x = x + F.linear(self._attend(query, *self.past[:, :, :, : position + 1]), *self.look_out)
        query = F.linear(F.layer_norm(x, *self.norms[1]), *self.read)
        x = x + F.linear(self._attend(query, *self.context), *self.read_out)
        return x + F.linear(F.gelu(F.linear(F.layer_norm(x, *self.norms[2]), *self.up)), *self.down)

    def select(self, rows: Tensor, length: int) -> None:
        """Keep ``rows`` only, in this order; ``length`` tokens have been written."""
        self.context = self.context[:, rows]
        past = self.past.new_empty(2, len(rows), *self.past.shape[2:])
        past[:, :, :, :length] = self.past[:, rows, :, :length]
        self.past = past

    def _attend(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """One query a row (N, W) reads keys and values (N, H, P, d) -> (N, W)."""
        query = query.view(len(query), self.num_heads, 1, -1)
        return F.scaled_dot_product_attention(query, keys, values).view(len(query), -1)


def _norm(norm: nn.LayerNorm, dtype: torch.dtype) -> tuple[tuple[int, ...], Tensor, Tensor]:
    return norm.normalized_shape, norm.weight.to(dtype), norm.bias.to(dtype)
