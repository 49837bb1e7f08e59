"""Will it fit, and how long is a step: ``python -m fusion.plan_run experiment=fusion_large gpus=8``.

The model is built on the meta device (shapes, no numbers) and one forward and backward pass is counted: parameters,
gradients, optimiser state, saved activations, floating point operations. Every record has every modality at full
length, so this is the most a step can take. The times are those figures over the given hardware's, no measurement.
"""

# Shapes: B records of one GPU's batch, T steps of a stream, P plan tokens.

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from fusion.batch import Batch, Stream
from fusion.model import FusionModel
from fusion.training.compose import compose_config
from fusion.training.resolvers import num_channels

GIB = 2**30
HARDWARE = {  # an H100 SXM by its data sheet (80 GB, dense bf16, NVLink one way); mfu is what well-tuned runs reach
    "gpus": 8.0, "memory_gib": 74.5, "peak_tflops": 989.0, "mfu": 0.4, "link_gb_s": 450.0,
}  # fmt: skip
RESERVE = 0.9  # of the memory: fragments, communication buffers, the CUDA context


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


def memory_gib(cost: Cost, strategy: str, gpus: int, activation_scale: float) -> dict[str, float]:
    """GiB of one GPU: fp32 weights, gradients and two AdamW moments, whole (ddp) or a share of each (fsdp2)."""
    shared = 1 if strategy == "ddp" else gpus
    parts = {
        "parameters": 4 * cost.num_parameters / shared,
        "gradients": 4 * cost.num_trainable / shared,
        "optimiser state": 8 * cost.num_trainable / shared,
        "gathered unit": 0 if strategy == "ddp" else 2 * 4 * cost.largest_unit,  # this one and the next, prefetched
        "activations": cost.activation_bytes * activation_scale,
    }
    return {name: size / GIB for name, size in {**parts, "total": sum(parts.values())}.items()}


def step_s(cost: Cost, strategy: str, hardware: dict[str, float]) -> dict[str, float]:
    """Seconds of arithmetic and of communication; they overlap, so a step takes between the longer and their sum.

    A ring all-reduce sends 2 (n - 1) / n of the gradients; FSDP gathers weights twice and scatters gradients once.
    """
    n = hardware["gpus"]
    arithmetic = cost.step_flops / (1e12 * hardware["peak_tflops"] * hardware["mfu"])
    sent = (
        (n - 1)
        / n
        * 4
        * (2 * cost.num_trainable if strategy == "ddp" else 2 * cost.num_parameters + cost.num_trainable)
    )
    return {"arithmetic": arithmetic, "communication": sent / (1e9 * hardware["link_gb_s"])}


def main(arguments: list[str]) -> None:
    """Print the plan; ``arguments``: train.py's overrides and name=value of HARDWARE."""
    hardware = dict(HARDWARE)
    overrides = []
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in hardware:
            hardware[name] = float(value)
        else:
            overrides.append(argument)
    weights = ["size.text.weights=random", "size.photo.weights=random"]  # nothing is downloaded to be counted
    lengths = ["size.text.rows_at_once=null"]  # on the meta device nobody knows which row is longer
    cfg = compose_config([*overrides, *weights, *lengths])
    cost = measure(cfg)
    is_half = "16" in str(cfg.trainer.precision)
    _print(cfg, cost, hardware, 0.5 if is_half else 1.0)


def _print(cfg: DictConfig, cost: Cost, hardware: dict[str, float], activation_scale: float) -> None:
    console, gpus = Console(), int(hardware["gpus"])
    console.print(
        f"{cfg.name}: {cost.num_parameters / 1e6:.1f} M parameters ({cost.num_trainable / 1e6:.1f} M train), "
        f"{cost.step_flops / 1e12:.3f} TFLOP a step of {cfg.data.batch_size} records a GPU, {gpus} GPUs, "
        f"{cfg.trainer.precision}"
    )
    strategies = {s: memory_gib(cost, s, gpus, activation_scale) for s in ("ddp", "fsdp2")}
    table = Table("GiB a GPU", *strategies)
    for name in strategies["ddp"]:
        table.add_row(name, *(f"{parts[name]:.2f}" for parts in strategies.values()))
    table.add_row("fits", *(_fits(parts["total"], hardware["memory_gib"]) for parts in strategies.values()))
    for kind in ("arithmetic", "communication"):
        table.add_row(f"{kind}, ms a step", *(f"{1000 * step_s(cost, s, hardware)[kind]:.1f}" for s in strategies))
    console.print(table)
    parts = Table("part", "forward GFLOP", "%")
    whole = sum(cost.forward_flops.values())
    for name, flops in sorted(cost.forward_flops.items(), key=lambda item: -item[1]):
        parts.add_row(name, f"{flops / 1e9:.2f}", f"{100 * flops / whole:.0f}")
    console.print(parts)
    console.print(f"assumed: {hardware}; activations of 16-bit precision as half of fp32's")


def _fits(total_gib: float, memory: float) -> str:
    return f"{'yes' if total_gib <= RESERVE * memory else 'NO'} ({total_gib:.1f} of {RESERVE * memory:.1f})"


if __name__ == "__main__":
    main(sys.argv[1:])
