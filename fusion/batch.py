"""The contract between data and model: what a batch, a stream and a token set are.

Shapes: B people, T time steps, C channels, F mel bands or feature width, N tokens, D width, K classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from fusion.plan.context import PlanContext


GROUPS = ("text", "signals", "photo", "audio")  # the order used in every table and every joined name


class Stream(NamedTuple):
    """One modality of one batch.

    ``values``: text (B, T) token ids | signal (B, T, C), NaN-free | photo (B, T, 3, H, W) uint8 |
    audio (B, T, F) log-mel | cached backbone features (B, T, F) of a frozen encoder.
    ``valid``: (B, T) bool, True = measured; an absent modality is a row of False.
    ``time_s``: (B, T) seconds relative to the moment of prediction, <= 0 is the past.
    """

    values: Tensor
    valid: Tensor
    time_s: Tensor


class TokenSet(NamedTuple):
    """What an encoder or a fusion gives on: ``tokens`` (B, N, D), ``valid`` (B, N) bool, ``time_s`` (B, N)."""

    tokens: Tensor
    valid: Tensor
    time_s: Tensor


class Fused(NamedTuple):
    """What heads read: a TokenSet of fused tokens (B, Q, D), and ``sources``, the token sets it was fused from.

    ``groups``: of the modalities in ``sources``.
    """

    tokens: Tensor
    valid: Tensor
    time_s: Tensor
    sources: dict[str, TokenSet]  # by modality name: for heads that answer about one modality or group
    groups: dict[str, str] | None = None
    logits: dict[object, Tensor] | None = None  # by head, what it has said of these tokens already (evaluation only)


class Batch(NamedTuple):
    """Records side by side. A NamedTuple because Lightning moves it and pin_memory pins it; dataclasses get neither."""

    streams: dict[str, Stream]  # by modality name (conf/modality/<name>.yaml)
    targets: dict[str, Tensor]  # by target name, as the data declare it; -100 or NaN = unlabelled
    record_ids: list[str]
    person_ids: list[str]
    contexts: list[PlanContext] | None = None  # what holds the plans; None while training
    group: list[dict[str, Tensor]] | None = None  # targets of all batches of this optimiser step; None = of this only


def check_stream(name: str, stream: Stream) -> None:
    """Raise ValueError unless the stream's three parts agree; names the stream, what came and where to fix it."""
    values, valid, time_s = stream
    where = f"fix data.modalities.{name}.prepare"
    if valid.dtype != torch.bool:
        raise ValueError(f"stream {name!r}: valid has dtype {valid.dtype}, expected torch.bool; {where}")
    if values.shape[:2] != valid.shape or time_s.shape != valid.shape:
        raise ValueError(
            f"stream {name!r}: values {tuple(values.shape)}, valid {tuple(valid.shape)} and time_s "
            f"{tuple(time_s.shape)} must share their first two sizes (batch, steps); {where}"
        )
    measured = values[valid]
    if measured.is_floating_point() and not torch.isfinite(measured).all():
        raise ValueError(f"stream {name!r}: NaN or inf where valid is True; mark those steps valid=False; {where}")
    if not torch.isfinite(time_s).all():
        raise ValueError(f"stream {name!r}: time_s has NaN or inf, expected seconds before the prediction; {where}")


def check_batch(batch: Batch, modalities: list[str], target_of: dict[str, str]) -> None:
    """Raise ValueError naming the first stream or target that does not fit the configured modalities and heads.

    ``target_of``: by head, the target it answers.
    """
    num = len(batch.record_ids)
    for name in modalities:
        if name not in batch.streams:
            raise ValueError(
                f"batch has no stream {name!r}, got {sorted(batch.streams)}; add it to data.modalities or drop "
                f"model.encoders.{name} (modality=[...] writes both)"
            )
        check_stream(name, batch.streams[name])
        if len(batch.streams[name].valid) != num:
            raise ValueError(f"stream {name!r} has {len(batch.streams[name].valid)} rows, expected {num} records")
    for head, name in target_of.items():
        if name not in batch.targets:
            raise ValueError(
                f"head {head!r} answers {name!r}, the data label {sorted(batch.targets)}; remove it from head=[...] "
                f"or choose a data=... that labels it"
            )
        if len(batch.targets[name]) != num:
            raise ValueError(f"target {name!r} has {len(batch.targets[name])} rows, expected {num} records")
