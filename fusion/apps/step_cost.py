"""Count what one training step takes: parameters, saved activations, floating point operations.

The model is built on the meta device (shapes, no numbers). Every record has every modality at full length, so this is
the most a step can take.
"""

# Shapes: B records of one GPU's batch, T steps of a stream, P plan tokens.

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from fusion.batch import Batch, Stream
from fusion.model import FusionModel
from fusion.training.resolvers import num_channels


class Cost(NamedTuple):
    """What one GPU's forward and backward pass takes; bytes in fp32."""

    num_parameters: int
    num_trainable: int
    largest_unit: int  # parameters that FSDP gathers at once
    activation_bytes: int
    forward_flops: dict[str, int]  # by part of the model
    step_flops: int  # forward and backward


class AllPresent(TorchFunctionMode):
    """Let masks be decided without numbers: everything is measured."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func is Tensor.__bool__ and args[0].is_meta:
            return True
        if func is Tensor.__getitem__ and _is_mask(args[1]):
            return args[0].flatten(0, args[1].ndim - 1)
        if func is Tensor.__setitem__ and _is_mask(args[1]):
            return args[0].copy_(args[2].reshape(args[0].shape))
        if func is Tensor.index_put and _is_mask(args[1][0]):
            return args[2]
        return func(*args, **(kwargs or {}))


def _is_mask(index: object) -> bool:
    return isinstance(index, Tensor) and index.dtype == torch.bool and index.is_meta


def measure(cfg: DictConfig) -> Cost:
    """Count one training step of ``cfg``'s model for one GPU's batch."""
    with torch.device("meta"):
        model: FusionModel = instantiate(cfg.model, _convert_="all")
        objective = instantiate(cfg.objective, _convert_="all")
        batch = full_batch(cfg, model)
    parameters = {p.untyped_storage()._cdata for p in model.parameters()}
    saved: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in parameters:
            saved[storage._cdata] = storage.nbytes()
        return tensor

    model.train()
    forward, backward = flop_counter(), flop_counter()
    with AllPresent():
        with forward, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            fused, outputs = model(batch, with_tokens=True)
            loss = objective(model, batch, fused, outputs)["loss"]
        with backward:
            loss.backward()
    counts = {name: sum(ops.values()) for name, ops in forward.get_flop_counts().items()}
    inside = [f"encoders.{n}" for n in model.encoders] + ["fusion"]
    inside += [f"heads.{n}" for n, head in model.heads.items() if head.is_generative]
    flops = {part: counts.get(f"FusionModel.{part}", 0) for part in inside}
    flops["other heads"] = forward.get_total_flops() - sum(flops.values())  # they call each other: not told apart
    units = [*model.encoders.values(), model.fusion, *model.heads.values()]
    return Cost(
        num_parameters=sum(p.numel() for p in model.parameters()),
        num_trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        largest_unit=max(sum(p.numel() for p in unit.parameters()) for unit in units),
        activation_bytes=sum(saved.values()),
        forward_flops=flops,
        step_flops=forward.get_total_flops() + backward.get_total_flops(),
    )


def flop_counter() -> FlopCounterMode:
    """PyTorch's, which counts the gradient of a grouped convolution's weights as if it had no groups (torch 2.11)."""
    mapping = {torch.ops.aten.convolution_backward: _convolution_backward_flops}
    return FlopCounterMode(display=False, depth=3, custom_mapping=mapping)


def _convolution_backward_flops(grad: Any, x: Any, weight: Any, *rest: Any, **_: Any) -> int:
    """Either gradient takes what the forward pass takes. Shapes of ``grad``, ``x``, ``weight``; as aten calls it."""
    transposed, is_wanted = rest[4], rest[7]
    return conv_flop_count(x, weight, grad, transposed=transposed) * (is_wanted[0] + is_wanted[1])


def full_batch(cfg: DictConfig, model: FusionModel) -> Batch:
    """``data.batch_size`` records with every stream at its longest; on the device in force."""
    size = cfg.data.batch_size
    streams = {}
    for name, modality in cfg.data.modalities.items():
        shape, dtype = _longest(name, modality.prepare, cfg.data.cohort.get("window_s"))
        steps = (size, shape[0])
        values = torch.empty(size, *shape, dtype=dtype)
        streams[name] = Stream(values, torch.ones(steps, dtype=torch.bool), torch.zeros(steps))
    targets = {}
    for head in model.heads.values():
        shape = (size, head.max_length) if head.is_generative else (size,)
        targets[head.target] = torch.zeros(shape, dtype=torch.long)
    return Batch(streams, targets, [""] * size, [""] * size)


def _longest(name: str, prepare: DictConfig, window_s: float | None) -> tuple[tuple[int, ...], torch.dtype]:
    """Shape (T, ...) and dtype of a stream's longest recording."""
    if "max_tokens" in prepare:
        return (prepare.max_tokens,), torch.long
    if "max_photos" in prepare:
        return (prepare.max_photos, 3, prepare.image_size, prepare.image_size), torch.uint8
    if "num_mels" in prepare:
        return (int(prepare.max_s / prepare.hop_s), prepare.num_mels), torch.float32
    if "rate_hz" in prepare and window_s:
        return (int(prepare.rate_hz * window_s), num_channels(prepare)), torch.float32
    raise ValueError(
        f"modality {name!r}: no longest length in its prepare ({list(prepare)}); give data.cohort.window_s"
    )
