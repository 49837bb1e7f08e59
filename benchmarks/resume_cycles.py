"""Kill a training with -9 at random moments, resume it every time, and count what was lost, replayed or skipped.

python -m benchmarks.resume_cycles --cycles 20 --num-workers 0        (2 CPU cores, about two minutes)
python -m benchmarks.resume_cycles --cycles 20 --ranks 2              (two processes, DDP over gloo; both are killed)

One run is never killed. Another is killed again and again, inside steps, inside the writing of checkpoints, inside
validation, and resumed with ``resume=auto``. Every rank of both writes a journal: the records, the missing modalities
and the loss of every step to the last bit. A step counts as lost if the resumed process continues behind the next one
that the checkpoint asks for, as replayed if it comes again although a checkpoint had it, and as different if anything
in it is not what the undisturbed run had. An attempt that is not where it was to be killed within ``LIMIT_S``, or a
last one that has not ended within ``FINISH_S``, is a hang.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.ranks import environments
from fusion.training import run as train
from fusion.training.callbacks.journal import read_journal
from fusion.training.compose import compose_config

ROOT = Path(__file__).parent.parent
LIMIT_S, FINISH_S = 300, 1800  # for the next steps; for a whole run, on a busy machine
FRESH = multiprocessing.get_context("forkserver")  # forks from a process that has only imported: no thread is lost
FRESH.set_forkserver_preload(["train"])
Process = multiprocessing.process.BaseProcess
SMALL = [
    "experiment=fusion_tiny", "callbacks=journal", "logger=csv", "data.cohort.num_people=40", "data.batch_size=3",
    "data.cohort.window_s=20", "data.modality_dropout=0.3", "size.dropout=0.1", "modality=[text,ppg,eda,photo,audio]",
    "callbacks.resume.every_n_steps=1", "trainer.log_every_n_steps=1", "callbacks.progress.refresh_rate=0",
    "report.num_bootstraps=10",
]  # fmt: skip
DDP = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.deterministic=true"]
SAME = ("step", "loss", "records", "present")


def main(arguments: list[str] | None = None) -> dict[str, int]:
    """Run both and print the counts; all of them must be 0, and the exit status says so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=20, help="kills before the run may finish")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--num-workers", type=int, default=0)
    parser.add_argument("--max-epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("overrides", nargs="*", help="more of train.py's, e.g. trainer.accumulate_grad_batches=2")
    args = parser.parse_args(arguments)
    settings = [f"data.num_workers={args.num_workers}", f"trainer.max_epochs={args.max_epochs}", *args.overrides]
    if args.ranks > 1:
        settings = [*DDP, f"trainer.devices={args.ranks}", *settings]
    with tempfile.TemporaryDirectory() as folder:
        counts = count(Path(folder), settings, args.ranks, args.cycles, random.Random(args.seed))
    print(json.dumps(counts, indent=1))
    return counts


def count(folder: Path, settings: list[str], ranks: int, cycles: int, chance: random.Random) -> dict[str, int]:
    """{"kills": ..., "steps": ..., "lost": ..., "replayed": ..., "different": ..., "failures": ..., "hangs": ...}"""
    whole, killed = folder / "whole", folder / "killed"
    if _wait(_start(whole, settings, 0, ranks)) != 0:
        raise RuntimeError(f"the undisturbed run failed:\n{(whole / 'terminal.0.0.txt').read_text()[-2000:]}")
    reference = [{_step(line): line for line in _journal(whole, rank)} for rank in range(ranks)]
    order = list(reference[0])
    kills = lost = replayed = different = hangs = 0
    for attempt in range(10 * cycles):
        if kills == cycles:
            break
        begin = _position(killed, order)
        processes = _start(killed, settings, attempt, ranks)
        aim = min(len(order) - 1, begin + chance.randint(0, max(1, len(order) // cycles)))
        hangs += not _wait_for_line(processes, killed, attempt, order[aim])
        time.sleep(chance.random() * 0.2)  # into whatever comes next
        kills += all(process.is_alive() for process in processes)
        _kill(processes)
        for rank in range(ranks):
            steps = [order.index(_step(line)) for line in _journal(killed, rank) if line["attempt"] == attempt]
            ahead = [step - expected for expected, step in enumerate(steps, begin)]
            lost += sum(max(0, num) for num in ahead)
            replayed += sum(max(0, -num) for num in ahead)
    status = _wait(_start(killed, settings, 10 * cycles, ranks))
    for rank in range(ranks):
        lines = _journal(killed, rank)
        different += sum(any(line[k] != reference[rank][_step(line)][k] for k in SAME) for line in lines)
        lost += len(set(order) - {_step(line) for line in lines})
    scores = [_scores(run) for run in (whole, killed)]
    return {
        "kills": kills, "steps": ranks * len(order), "lost": lost, "replayed": replayed, "different": different,
        "failures": int(status not in (0, None)), "hangs": hangs + int(status is None),
        "different test results": int(scores[0] != scores[1]),
    }  # fmt: skip


def _start(run_dir: Path, settings: list[str], attempt: int, ranks: int) -> list[Process]:
    """Processes that run train.py's job: the libraries are imported already, everything else is built anew."""
    own = environments(ranks) if ranks > 1 else [{}]
    processes = [FRESH.Process(target=_job, args=(run_dir, settings, attempt, *one)) for one in enumerate(own)]
    for process in processes:
        process.start()
    return processes


def _job(run_dir: Path, settings: list[str], attempt: int, rank: int, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    multiprocessing.set_start_method("fork", force=True)  # for the workers, as in any other training
    torch.set_num_threads(1)
    run_dir.mkdir(parents=True, exist_ok=True)
    with open(run_dir / f"terminal.{attempt}.{rank}.txt", "w") as terminal:
        os.dup2(terminal.fileno(), 1)
        os.dup2(terminal.fileno(), 2)
    paths = [f"paths.run_dir={run_dir}", f"paths.output_dir={run_dir.parent}", "resume=auto"]
    cfg = compose_config([*SMALL, *settings, *paths, f"callbacks.journal.attempt={attempt}"])
    train.run(cfg)


def _kill(processes: list[Process]) -> None:
    """-9 to all, then wait: a rank that saw the other die would tidy up."""
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def _wait(processes: list[Process]) -> int | None:
    """The worst exit status; None where they had to be killed."""
    begun_s = time.monotonic()
    while any(process.is_alive() for process in processes):
        is_late = time.monotonic() - begun_s > FINISH_S
        if is_late or any(process.exitcode for process in processes):  # the others would wait for a rank that failed
            failed = next((process.exitcode for process in processes if process.exitcode), None)
            _kill(processes)
            return failed
        time.sleep(0.05)
    return max((process.exitcode for process in processes), key=abs)


def _wait_for_line(processes: list[Process], run_dir: Path, attempt: int, step: tuple[int, int]) -> bool:
    """Whether this attempt's line of a step came into rank 0's journal, or a process ended, in time."""
    begun_s = time.monotonic()
    while all(process.is_alive() for process in processes):
        if any(line["attempt"] == attempt and _step(line) >= step for line in _journal(run_dir, 0)):
            return True
        if time.monotonic() - begun_s > LIMIT_S:
            return False
        time.sleep(0.02)
    return True


def _position(run_dir: Path, order: list[tuple[int, int]]) -> int:
    """Index in ``order`` of the next step that the run's checkpoint asks for."""
    path = run_dir / "checkpoints" / "last.ckpt"
    if not path.is_file():
        return 0
    at = torch.load(path, map_location="cpu", mmap=True, weights_only=True)["HealthDataModule"]
    return sum(key < (at["epoch"], at["num_batches"]) for key in order)


def _scores(run_dir: Path) -> dict | None:
    path = run_dir / "metrics.json"
    return json.loads(path.read_text())["test"] if path.is_file() else None


def _journal(run_dir: Path, rank: int) -> list[dict]:
    path = run_dir / f"journal.jsonl.{rank}"
    return read_journal(path) if path.is_file() else []


def _step(line: dict) -> tuple[int, int]:
    return line["epoch"], line["batch"]


if __name__ == "__main__":
    counts = main()
    raise SystemExit(any(value for name, value in counts.items() if name not in ("kills", "steps")))
