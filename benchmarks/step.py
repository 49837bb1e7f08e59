"""What a training step of fusion_small costs, in CPU time on one thread.

python -m benchmarks.step overhead                     Lightning, Hydra, logging and callbacks over a bare loop
python -m benchmarks.step naive                        every saving alone and all together over a naive version
python -m benchmarks.step naive finetune=full          the same with everything trained

All variants take turns within one process on the same records, so that a busy machine is busy for all of them; what is
printed is the median over rounds of the ratio within a round.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

os.environ["OMP_NUM_THREADS"] = "1"

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn
from torch.utils.data import DataLoader

from benchmarks.naive_step import Savings, SwitchedStep
from datamodules.base import HealthDataModule
from datamodules.sampler import CountedSampler, Draw
from fusion.training import run as train
from fusion.training.compose import compose_config
from fusion.training.module import FusionModule

STEPS = 10  # of a round of ``overhead``: trainer.log_every_n_steps
MISSING = "data.cohort.missing_rate=0.18"  # with data.modality_dropout 30 % of every group is absent


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print and give {variant: ratio}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("overhead", "naive"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", default=[*Savings._fields, "all"], help="of the savings; and all")
    parser.add_argument("overrides", nargs="*", help="of train.py")
    args = parser.parse_intermixed_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"paths.run_dir={folder}", f"paths.output_dir={folder}"]
        few = ["data.cohort.num_people=400", MISSING]
        unchecked = ["~callbacks.early_stopping", "callbacks.checkpoint.monitor=null"]  # nothing is validated
        cfg = compose_config([*few, *unchecked, *args.overrides, *paths])
        return naive(cfg, args.rounds, args.only) if args.part == "naive" else overhead(cfg, args.rounds)


def naive(cfg: DictConfig, rounds: int, only: list[str]) -> dict[str, float]:
    """How much faster than the naive version each saving makes a step, alone and all together."""
    step = switched_step(cfg)
    every = Savings(**{name: name != "is_cached" or cfg.finetune.is_cached for name in Savings._fields})
    alone = {name: Savings(**{name: True}) for name, is_on in every._asdict().items() if is_on}
    chosen = {name: savings for name, savings in {**alone, "all": every}.items() if name in only}
    variants = {"naive": Savings(), **chosen}
    times = {name: [] for name in variants}
    draws = draws_of(step.data, cfg.data.batch_size)
    for number in range(rounds + 1):
        picked = next(draws)
        for name, savings in variants.items():
            seconds = _seconds(partial(step, picked, savings))
            if number:  # the first round warms up
                times[name].append(seconds)
    return _report(times, "naive", f"{cfg.name}, finetune {'frozen' if cfg.finetune.is_frozen else 'full'}")


def switched_step(cfg: DictConfig) -> SwitchedStep:
    """Data and model of ``cfg``, prepared and cached."""
    data, module = train.build(cfg)
    data.setup()
    raw = dict(data.stores)
    train.prepare(cfg, data, module)
    return SwitchedStep(data, module, raw)


def overhead(cfg: DictConfig, rounds: int) -> dict[str, float]:
    """CPU time of ``train.py``'s own trainer over a loop of ten lines: the same modules, records and averaging."""
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    loader = data.train_dataloader()
    times: dict[str, list[float]] = {"bare": [], "lightning": []}
    turns = _Turns(
        draws_of(data, cfg.data.batch_size), _bare_step(cfg, loader, module), times, STEPS * (rounds + 1) + 1
    )
    loggers = list(instantiate(cfg.logger).values())
    callbacks = list(instantiate(cfg.callbacks).values())
    trainer: pl.Trainer = instantiate(cfg.trainer, callbacks=callbacks, logger=loggers, max_epochs=1)
    with train.finishing(loggers):
        trainer.fit(module, DataLoader(loader.dataset, batch_sampler=turns, collate_fn=loader.collate_fn))
    firsts = range(STEPS, STEPS * (rounds + 1), STEPS)  # the first round warms up
    sums = {name: [sum(each[first : first + STEPS]) for first in firsts] for name, each in times.items()}
    return _report(sums, "lightning", f"{cfg.name}, {STEPS} steps a round")


class _Turns:
    """A batch sampler: the steps that another loop makes with its batches, and the bare loop's, are timed in turn."""

    def __init__(
        self, draws: Iterator[list[Draw]], bare: Callable[[list[Draw]], None], times: dict[str, list[float]], num: int
    ) -> None:
        self.draws, self.bare, self.times, self.num = draws, bare, times, num

    def __len__(self) -> int:
        return self.num

    def __iter__(self) -> Iterator[list[Draw]]:
        for number in range(self.num):
            picked = next(self.draws)
            if number % 2:  # whoever is second finds the plans of these records already written
                self.times["bare"].append(_seconds(partial(self.bare, picked)))
            begun_s = time.process_time()
            yield picked
            self.times["lightning"].append(time.process_time() - begun_s)
            if not number % 2:
                self.times["bare"].append(_seconds(partial(self.bare, picked)))


def _bare_step(cfg: DictConfig, loader: DataLoader, module: FusionModule) -> Callable[[list[Draw]], None]:
    """What a researcher would write without a framework, for a copy of the module's model."""
    model = copy.deepcopy(module.model).train()
    optimizer, schedule = module.optim.build(model, 1000)
    decay = cfg.callbacks.ema.decay if "ema" in cfg.callbacks else None
    averaged = AveragedModel(model, avg_fn=get_ema_avg_fn(decay), use_buffers=True) if decay else None
    parameters = [p for p in model.parameters() if p.requires_grad]

    def step(draws: list[Draw]) -> None:
        batch = loader.collate_fn([loader.dataset[draw] for draw in draws])
        with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in str(cfg.trainer.precision)):
            fused, outputs = model(batch, with_tokens=True)
            loss = module.objective(model, batch, fused, outputs)["loss"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, cfg.trainer.gradient_clip_val)
        optimizer.step()
        schedule.step()
        if averaged:
            averaged.update_parameters(model)

    return step


def draws_of(data: HealthDataModule, batch_size: int) -> Iterator[list[Draw]]:
    """Full batches of training records, epoch after epoch."""
    sampler = CountedSampler(num_records=len(data.splits["train"]), seed=data.seed, is_train=True)
    for epoch in count():
        sampler.set_epoch(epoch)
        order = list(sampler)
        yield from (order[i : i + batch_size] for i in range(0, len(order) - batch_size + 1, batch_size))


def _seconds(step: Callable[[], object]) -> float:
    begun_s = time.process_time()
    step()
    return time.process_time() - begun_s


def _report(times: dict[str, list[float]], reference: str, title: str) -> dict[str, float]:
    """Print and give the median over rounds of ``reference``'s time over each variant's."""
    table = Table("variant", "s, median", f"{reference} / variant", "quartiles", title=title)
    ratios = {}
    for name, mine in times.items():
        each = [whole / part for whole, part in zip(times[reference], mine, strict=True)]
        low, middle, high = statistics.quantiles(each, n=4) if len(each) > 1 else each * 3
        ratios[name] = middle
        table.add_row(name, f"{statistics.median(mine):.3f}", f"{middle:.3f}", f"{low:.3f} to {high:.3f}")
    Console().print(table)
    return ratios


if __name__ == "__main__":
    main()
