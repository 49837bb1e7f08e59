"""Will it fit, and how long is a step: ``python -m fusion.plan_run experiment=fusion_large gpus=8``.

fusion/apps/step_cost.py counts parameters, saved activations and operations; gradients and optimiser state follow. The
times are those figures over the given hardware's, no measurement.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from fusion.apps.command_line import run_command
from fusion.training.compose import compose_config

if TYPE_CHECKING:
    from fusion.apps.step_cost import Cost

GIB = 2**30
HARDWARE = {  # an H100 SXM by its data sheet (80 GB, dense bf16, NVLink one way); mfu is what well-tuned runs reach
    "gpus": 8.0, "memory_gib": 74.5, "peak_tflops": 989.0, "mfu": 0.4, "link_gb_s": 450.0,
}  # fmt: skip
RESERVE = 0.9  # of the memory: fragments, communication buffers, the CUDA context


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


def command_line() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m fusion.plan_run",
        usage="%(prog)s [-h] [key=value ...]",
        description="Say whether a training fits into the memory of its GPUs, and what a step takes at least.",
    )
    assumed = " ".join(f"{name}={value:g}" for name, value in HARDWARE.items())
    parser.add_argument(
        "words", nargs="*", metavar="key=value", help=f"settings of train.py, and of the hardware: {assumed}"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command(_plan, command_line().parse_args(arguments))


def _plan(options: argparse.Namespace) -> int:
    from fusion.apps.step_cost import measure  # torch takes seconds

    hardware = dict(HARDWARE)
    overrides = []
    for word in options.words:
        name, _, value = word.partition("=")
        if name in hardware:
            try:
                hardware[name] = float(value)
            except ValueError as error:
                raise ValueError(f"{name} is {value!r}, expected a number such as {name}={HARDWARE[name]:g}") from error
        else:
            overrides.append(word)
    weights = ["size.text.weights=random", "size.photo.weights=random"]  # nothing is downloaded to be counted
    lengths = ["size.text.rows_at_once=null"]  # on the meta device nobody knows which row is longer
    cfg = compose_config([*overrides, *weights, *lengths])
    cost = measure(cfg)
    is_half = "16" in str(cfg.trainer.precision)
    _print(cfg, cost, hardware, 0.5 if is_half else 1.0)
    return 0


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
    sys.exit(main())
