"""Preempt a training on two SLURM nodes again and again, and count what was lost, replayed or skipped.

python -m benchmarks.preempt_cycles --cycles 20        (root, tests/engines/install.sh; 2 busy cores: half an hour)

Real daemons on loopback, two nodes, DDP over gloo. One job is left alone. Another gets SIGUSR1 at random moments,
saves, has itself queued again and goes on, until it was preempted ``--cycles`` times. Both keep a journal per rank: the
records, the missing modalities and the loss of every step to the last bit. A preempted attempt must end with the step
that it saved: a step that no attempt has is lost, one that comes again is replayed, one in which anything differs from
the undisturbed job is different. A hang is an attempt that has not left the machine ``LEAVE_S`` after its signal.
"""

from __future__ import annotations

import argparse
import json
import random
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fusion.training.callbacks.journal import read_journal
from tests.engines.cluster import Cluster

ROOT = Path(__file__).parent.parent
RANKS = 2
START_S, LEAVE_S = 900, 60  # imports on a busy machine took more than 300; a step, a checkpoint and KillWait
SMALL = [
    "experiment=fusion_tiny", "callbacks=journal", "logger=csv", "data.cohort.num_people=40", "data.batch_size=2",
    "callbacks.resume._target_=fusion.training.callbacks.preempt.PreemptCheckpoint", "data.cohort.window_s=20",
    "data.modality_dropout=0.3", "size.dropout=0.1", "modality=[text,ppg,audio]", "head=[health_state]",
    "report.generated_rows=[]", "report.num_bootstraps=10", "trainer.log_every_n_steps=1",
    "callbacks.progress.refresh_rate=0", "trainer=ddp", "trainer.accelerator=cpu", "trainer.precision=32-true",
    "trainer.deterministic=true", "trainer.devices=1", f"trainer.num_nodes={RANKS}", "resume=auto",
    "monitor.patience=1000",
]  # fmt: skip
# USR1 is ignored until there is something to save; a rank that fails takes the others along.
SCRIPT = """#!/bin/bash
export MASTER_ADDR=127.0.0.1 GLOO_SOCKET_IFNAME=lo OMP_NUM_THREADS=1
cd {root}
attempt=callbacks.journal.attempt=${{SLURM_RESTART_COUNT:-0}}
srun --kill-on-bad-exit=1 bash -c 'trap "" USR1; exec "$@"' - {command} $attempt
"""


def main(arguments: list[str] | None = None) -> dict[str, int]:
    """Run both jobs and print the counts; the third and later must be 0, and the exit status says so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=20, help="preemptions before the job may finish")
    parser.add_argument("--max-epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the preemptions")
    parser.add_argument("overrides", nargs="*", help="more of train.py's, e.g. trainer.accumulate_grad_batches=2")
    args = parser.parse_args(arguments)
    settings = [f"trainer.max_epochs={args.max_epochs}", *args.overrides]
    with tempfile.TemporaryDirectory() as folder, Cluster() as cluster:
        counts = count(cluster, Path(folder), settings, args.cycles, random.Random(args.seed))
    print(json.dumps(counts, indent=1))
    return counts


def count(cluster: Cluster, folder: Path, settings: list[str], cycles: int, chance: random.Random) -> dict[str, int]:
    """{"preemptions": ..., "steps": ..., "lost": ..., "replayed": ..., "different": ..., "hangs": ..., ...}"""
    whole, cut = folder / "whole", folder / "cut"
    finish(cluster, start(cluster, whole, settings), whole)
    order = [(line["epoch"], line["batch"]) for line in read_journal(whole / "journal.jsonl.0")]
    job = start(cluster, cut, settings)
    preemptions = hangs = 0
    while preemptions < cycles:
        begin = _done(cut)
        aim = begin + chance.randint(1, max(1, (len(order) - begin) // (cycles - preemptions + 1)))
        _wait(lambda aim=aim: _done(cut) >= aim or _ended(cluster, job), START_S, cut, "the next step")
        time.sleep(chance.random() * 0.1)
        if not _ended(cluster, job):
            cluster.run("scancel", "--signal=USR1", job)
            if not _left_within(LEAVE_S, cluster, job, preemptions):
                hangs += 1
                cluster.run("scontrol", "requeue", job)
                _left_within(LEAVE_S, cluster, job, preemptions)
        if _ended(cluster, job):
            raise RuntimeError(
                f"the job is {cluster.job(job)['JobState']} after {preemptions} preemptions of {cycles}; where it is "
                f"COMPLETED, give it more steps by --max-epochs:\n{_terminal(cut)}"
            )
        preemptions += 1
        cluster.start_now(job)
    finish(cluster, job, cut)
    return {"preemptions": preemptions, "steps": RANKS * len(order), **compare(whole, cut), "hangs": hangs}


def start(cluster: Cluster, run_dir: Path, settings: list[str]) -> str:
    """The id of the job that trains in ``run_dir`` on both nodes; terminal.txt there is of all its attempts."""
    run_dir.mkdir(parents=True)
    where = [f"paths.run_dir={run_dir}", f"hydra.run.dir={run_dir}", f"paths.output_dir={run_dir.parent}"]
    command = shlex.join([sys.executable, "train.py", *SMALL, *settings, *where])
    script = SCRIPT.format(root=ROOT, command=command)
    output = ["--open-mode=append", f"--output={run_dir}/terminal.txt"]
    return cluster.submit(script, "--nodes=2", "--ntasks-per-node=1", "--requeue", *output)


def finish(cluster: Cluster, job: str, run_dir: Path) -> None:
    """Wait for the job; RuntimeError with its last lines where it failed."""
    _wait(lambda: _ended(cluster, job), START_S, run_dir, "the job to end")
    state = cluster.job(job)["JobState"]
    if state != "COMPLETED":
        raise RuntimeError(f"job {job} is {state}:\n{_terminal(run_dir)}")


def compare(whole: Path, cut: Path) -> dict[str, int]:
    """Steps of all ranks of ``cut`` that are lost, replayed or not what ``whole`` had, and whether the tests differ."""
    lost = replayed = different = 0
    for rank in range(RANKS):
        reference = {(line["epoch"], line["batch"]): line for line in read_journal(whole / f"journal.jsonl.{rank}")}
        lines = read_journal(cut / f"journal.jsonl.{rank}")
        steps = [(line["epoch"], line["batch"]) for line in lines]
        lost += len(set(reference) - set(steps))
        replayed += len(steps) - len(set(steps))
        same = ("step", "loss", "records", "present")
        different += sum(
            any(line[key] != reference[step][key] for key in same) for step, line in zip(steps, lines, strict=True)
        )
    scores = [json.loads((run / "metrics.json").read_text())["test"] for run in (whole, cut)]
    return {
        "lost": lost,
        "replayed": replayed,
        "different": different,
        "different test results": int(scores[0] != scores[1]),
    }


def _done(run_dir: Path) -> int:
    """Steps in the journal of rank 0."""
    path = run_dir / "journal.jsonl.0"
    return len(path.read_bytes().splitlines()) if path.is_file() else 0


def _ended(cluster: Cluster, job: str) -> bool:
    return cluster.job(job)["JobState"] not in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED")


def _left_within(limit_s: float, cluster: Cluster, job: str, restarts: int) -> bool:
    """Whether the job is queued again, or finished because its last step was done, in time."""
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < limit_s:
        now = cluster.job(job)
        if (int(now["Restarts"]) > restarts and now["JobState"] == "PENDING") or _ended(cluster, job):
            return True
        time.sleep(0.2)
    return False


def _wait(condition: Callable[[], bool], limit_s: float, run_dir: Path, what: str) -> None:
    begun_s = time.monotonic()
    while not condition():
        if time.monotonic() - begun_s > limit_s:
            raise RuntimeError(f"waited {limit_s} s for {what}:\n{_terminal(run_dir)}")
        time.sleep(0.05)


def _terminal(run_dir: Path) -> str:
    path = run_dir / "terminal.txt"
    return path.read_text(errors="replace")[-3000:] if path.is_file() else "nothing was written"


if __name__ == "__main__":
    counts = main()
    raise SystemExit(any(value for name, value in counts.items() if name not in ("preemptions", "steps")))
