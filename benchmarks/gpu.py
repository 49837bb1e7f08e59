"""What one device makes of a model: ``python -m benchmarks.gpu experiment=fusion_large``.

A whole training step at bf16 with torch.compile on records with every modality at full length: records and tokens a
second, memory, the share of the device's measured matrix multiplication that the model's own operations reach (model
FLOPs utilisation), where the time goes, what each lever changes, the largest batch, and writing plans. Weights are
random. ``--device cpu experiment=fusion_tiny`` goes the same way on a CPU, not compiled; it says little about a GPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from fusion.apps.plan_run import GIB
from fusion.apps.step_cost import full_batch, measure
from fusion.batch import Batch, Fused, Stream, TokenSet
from fusion.model import FusionModel
from fusion.training.compose import compose_config

RANDOM = ["size.text.weights=random", "size.photo.weights=random", "size.text.rows_at_once=null"]


class Levers(NamedTuple):
    """What a step runs with."""

    is_half: bool = True
    is_compiled: bool = True
    is_fused: bool = True  # AdamW


LEVERS = {
    "bf16, compiled, fused AdamW": Levers(),
    "not compiled": Levers(is_compiled=False),
    "fp32": Levers(is_half=False),
    "AdamW not fused": Levers(is_fused=False),
}


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print everything and give it by name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 64], help="whose plans are written at once")
    parser.add_argument("--most", type=int, default=4096, help="records, in the search for the largest batch")
    parser.add_argument("overrides", nargs="*", help="of train.py")
    args = parser.parse_intermixed_args(arguments)
    if args.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no GPU here; --device cpu experiment=fusion_tiny shows that the script runs")
    cfg = compose_config([*args.overrides, *RANDOM])
    bench = Bench(cfg, args.device, args.steps)
    found = {**bench.steps(), **bench.parts(), **bench.writing(args.people), **bench.largest(args.most)}
    table = Table("", "", title=f"{cfg.name}, {bench.size} records a step, {bench.name}")
    for name, value in found.items():
        table.add_row(name, f"{value:,.4g}")
    Console().print(table)
    return found


class Bench:
    """One model on one device; every method measures something and gives it by name."""

    def __init__(self, cfg: DictConfig, device: str, steps: int) -> None:
        self.cfg, self.device, self.num = cfg, torch.device(device), steps
        self.name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
        self.size = cfg.data.batch_size
        self.cost = measure(cfg)
        with torch.device("meta"):
            self.shapes = instantiate(cfg.model, _convert_="all")  # of plans, for batches
        self.objective = instantiate(cfg.objective, _convert_="all")

    def steps(self) -> dict[str, float]:
        """Training steps, with all levers and with each of them off."""
        found = {}
        for name, levers in LEVERS.items():
            if self.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            model, batch = self._model(), self._batch(self.size)
            num_tokens = self._num_tokens(model, batch)
            seconds = self._time(self._step(model, batch, levers))
            found[f"ms a step: {name}"] = 1000 * seconds
            if levers == Levers():
                ceiling = self.ceiling_tflops()
                found |= {
                    "records a second": self.size / seconds,
                    "tokens a second": num_tokens / seconds,
                    "TFLOP a step": self.cost.step_flops / 1e12,
                    "measured matmul ceiling, bf16 TFLOP/s": ceiling,
                    "model FLOPs utilisation": self.cost.step_flops / 1e12 / seconds / ceiling,
                    "peak memory, GiB": self._peak_gib(),
                }
        return found

    def ceiling_tflops(self) -> float:
        """The fastest of a few square bf16 products: nothing the model does can be faster."""
        best = 0.0
        for size in (4096, 8192, 16384) if self.device.type == "cuda" else (512,):
            a, b = (torch.randn(size, size, device=self.device, dtype=torch.bfloat16) for _ in range(2))
            best = max(best, 2 * size**3 / self._time(lambda a=a, b=b: a @ b) / 1e12)
        return best

    def parts(self) -> dict[str, float]:
        """Forward and backward of every encoder, the fusion and every head alone, at bf16, not compiled."""
        model, batch = self._model(), self._batch(self.size)
        with torch.no_grad(), self._half(True):
            sets = model.encode(batch.streams)
            fused = model.fuse(sets)
        sets = {name: TokenSet(s.tokens.float().requires_grad_(), *s[1:]) for name, s in sets.items()}
        fused = Fused(fused.tokens.float().requires_grad_(), fused.valid, fused.time_s, sets, fused.groups)
        works = {f"encoders.{n}": lambda n=n, e=e: e(batch.streams[n]).tokens for n, e in model.encoders.items()}
        works["fusion"] = lambda: model.fuse(sets).tokens
        works |= {f"heads.{n}": lambda n=n, h=h: h(fused, batch.targets[n]) for n, h in model.heads.items()}
        return {f"ms alone: {name}": 1000 * self._time(self._both_ways(work)) for name, work in works.items()}

    def writing(self, people: list[int]) -> dict[str, float]:
        """Plan tokens a second, greedy, for so many people at once."""
        found = {}
        for size in people:
            model, batch = self._model().eval(), self._batch(size)
            with torch.inference_mode(), self._half(True):
                fused = model.fuse(model.encode(batch.streams))
                for name, head in model.heads.items():
                    if head.is_generative:
                        written = head.generate(fused)  # and warms up
                        seconds = self._time(partial(head.generate, fused), num=1, warmup=0)
                        found[f"{name} tokens a second, batch {size}"] = written.numel() / seconds
        return found

    def largest(self, most: int) -> dict[str, float]:
        """The largest batch that trains, to one part in eight; ``most`` where that fits."""
        fits, size = 0, 1
        while size <= most and self._fits(size):
            fits, size = size, 2 * size
        for eighth in range(9, 16) if size <= most else ():
            if fits and self._fits(size // 2 * eighth // 8):
                fits = size // 2 * eighth // 8
        return {"largest batch, records": fits}

    def _fits(self, size: int) -> bool:
        try:
            self._step(self._model(), self._batch(size), Levers(is_compiled=False))()
        except torch.cuda.OutOfMemoryError:
            return False
        finally:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        return True

    def _model(self) -> FusionModel:
        torch.manual_seed(0)
        with self.device:
            return instantiate(self.cfg.model, _convert_="all").train()

    def _batch(self, size: int) -> Batch:
        """Everything measured, at full length; numbers that mean nothing."""
        cfg = self.cfg.copy()
        cfg.data.batch_size = size
        with self.device:
            batch = full_batch(cfg, self.shapes)
        return batch._replace(streams={n: Stream(s.values.zero_(), *s[1:]) for n, s in batch.streams.items()})

    def _step(self, model: FusionModel, batch: Batch, levers: Levers) -> Callable[[], Tensor]:
        parameters = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=1e-5, fused=levers.is_fused)
        if levers.is_compiled and self.device.type == "cuda":  # on a CPU it takes minutes and gains nothing
            for part in (*model.encoders.values(), model.fusion, *model.heads.values()):
                part.compile(dynamic=True)

        def step() -> Tensor:
            with self._half(levers.is_half):
                fused, outputs = model(batch, with_tokens=True)
                loss = self.objective(model, batch, fused, outputs)["loss"]
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            return loss

        return step

    def _both_ways(self, work: Callable[[], Tensor]) -> Callable[[], None]:
        def run() -> None:
            with self._half(True):
                result = work()
            result.float().sum().backward()

        return run

    def _half(self, is_on: bool) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=is_on)

    def _num_tokens(self, model: FusionModel, batch: Batch) -> int:
        """What the fusion reads and the plan head writes."""
        with torch.no_grad(), self._half(True):
            read = sum(s.valid.numel() for s in model.encode(batch.streams).values())
        return read + sum(t.numel() for t in batch.targets.values() if t.ndim == 2)

    def _time(self, work: Callable[[], object], num: int | None = None, warmup: int | None = None) -> float:
        """Seconds of one ``work``, the mean after some to warm up (and, on a GPU, to compile)."""
        for _ in range((3 if self.device.type == "cuda" else 1) if warmup is None else warmup):
            work()
        self._wait()
        begun_s = time.perf_counter()
        for _ in range(num or self.num):
            work()
        self._wait()
        return (time.perf_counter() - begun_s) / (num or self.num)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def _peak_gib(self) -> float:
        return torch.cuda.max_memory_allocated() / GIB if self.device.type == "cuda" else float("nan")


if __name__ == "__main__":
    main()
