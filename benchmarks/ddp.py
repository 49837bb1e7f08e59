"""What a sample costs in two processes under DDP, against one process with the same total threads.

python -m benchmarks.ddp                                  fusion_small, backbones frozen and cached
python -m benchmarks.ddp finetune=full                    every weight trained, and sent
python -m benchmarks.ddp --with trainer.strategy=ddp      also Lightning's plain strategy, or any overrides

One process with two threads and pairs of ranks with one thread each are all alive and take turns of a few training
steps on the same records, so that a busy machine is busy for all of them. A turn costs the CPU time of all threads of
all ranks, waiting excluded; printed is the median over rounds of one process's cost over the ranks' cost: samples per
CPU second, 1 = nothing is lost.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.ranks import end_ranks, start_ranks

TWO = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.precision=32-true"]
BARE = [
    "logger=none", "averaging=none", "data.cohort.num_people=400", "trainer.max_epochs=9999",
    "+trainer.limit_val_batches=0", "+trainer.enable_progress_bar=false",
]  # fmt: skip
TURN = "turn "  # before the seconds a rank prints


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print and give {variant: ratio}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=4, help="training steps of a turn")
    parser.add_argument("--batch-size", type=int, default=32, help="of a step, all ranks together")
    parser.add_argument("--with", action="append", default=[], dest="variants", help="overrides of another pair")
    parser.add_argument("overrides", nargs="*", help="of train.py")
    args = parser.parse_intermixed_args(arguments)
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # threads that wait in a loop would cost the one process CPU time
    variants = {"conf/trainer/ddp.yaml": [], **{variant: variant.split() for variant in args.variants}}
    with tempfile.TemporaryDirectory() as folder:
        settings = [str(args.steps), *BARE, *args.overrides]
        teams = {"one process": _team(Path(folder) / "0", [*settings, f"data.batch_size={args.batch_size}"], 1)}
        half = [*settings, *TWO, f"data.batch_size={args.batch_size // 2}"]
        for number, (name, overrides) in enumerate(variants.items(), 1):
            teams[name] = _team(Path(folder) / str(number), [*half, *overrides], 2)
        try:
            ratios = _take_turns(teams, args.rounds)
        finally:
            for team in teams.values():
                end_ranks(team.ranks)
    for name, values in ratios.items():
        low, middle, high = statistics.quantiles(values, n=4)
        print(f"{name}: {middle:.3f} of one process's samples per CPU second (quartiles {low:.3f} to {high:.3f})")
    return {name: statistics.median(values) for name, values in ratios.items()}


class Team(NamedTuple):
    """Ranks of one job, and the folder with what they say."""

    ranks: list[subprocess.Popen]
    folder: Path


def _team(folder: Path, arguments: list[str], num_ranks: int) -> Team:
    folder.mkdir()
    paths = [f"paths.run_dir={folder}", f"paths.output_dir={folder}"]
    ranks = start_ranks(
        ["-m", "benchmarks.ddp", "rank", *arguments, *paths], folder, num_ranks=num_ranks, num_threads=2 // num_ranks,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip
    return Team(ranks, folder)


def _take_turns(teams: dict[str, Team], rounds: int) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {name: [] for name in teams}
    for turn in range(rounds + 1):
        for name, team in teams.items():
            for rank in team.ranks:
                with suppress(BrokenPipeError):  # below, a rank that ended is asked why
                    rank.stdin.write("go\n")
            cost = sum(_answer(team, number) for number in range(len(team.ranks)))
            if turn > 0:  # the first turn allocates
                costs[name].append(cost)
    one = costs.pop("one process")
    return {name: [a / b for a, b in zip(one, values, strict=True)] for name, values in costs.items()}


def _answer(team: Team, number: int) -> float:
    for line in team.ranks[number].stdout:
        if line.startswith(TURN):
            return float(line.removeprefix(TURN))
    raise RuntimeError(f"rank {number} ended:\n{(team.folder / f'rank.{number}.txt').read_text()[-3000:]}")


def train_in_turns(num_steps: int, overrides: list[str]) -> None:
    """One rank: trains for ever, ``num_steps`` steps after every line it reads."""
    import pytorch_lightning as pl

    from fusion.training import run as train
    from fusion.training.compose import compose_config

    class Turns(pl.Callback):
        begun_s, num = 0.0, 0

        def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            if self.num % num_steps == 0:
                if self.num:
                    print(f"{TURN}{time.process_time() - self.begun_s}", flush=True)
                if not sys.stdin.readline():
                    os._exit(0)
                self.begun_s = time.process_time()
            self.num += 1

    cfg = compose_config(overrides)
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    trainer = train.instantiate(cfg.trainer, callbacks=[Turns()], logger=False, enable_checkpointing=False)
    trainer.fit(module, datamodule=data)


if __name__ == "__main__":
    if sys.argv[1:2] == ["rank"]:
        train_in_turns(int(sys.argv[2]), sys.argv[3:])
    else:
        main()
