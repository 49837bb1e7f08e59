"""On a real SLURM of two nodes: a sweep survives its jobs, and a preempted run goes on at the right step and sample."""

import random
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks import preempt_cycles
from tests.engines import cluster as slurm
from tests.fusion.apps import test_sweep as searches

ROOT = Path(__file__).parent.parent.parent
TINY = [
    "experiment=fusion_tiny", "data.cohort.num_people=24", "data.cohort.window_s=20", "data.batch_size=4",
    "modality=[heart_rate]", "head=[health_state]", "report.generated_rows=[]", "report.num_bootstraps=10",
    "callbacks.progress.refresh_rate=0",
]  # fmt: skip
NODE = [f"hydra.launcher.{name}" for name in ("gpus_per_node=null", "mem_gb=null", "cpus_per_task=1", "timeout_min=10")]
GOOD, TOLD, KILLED, DIVERGING, CRASHING = LRS = ["0.001", "0.003", "0.002", "1e+30", "fast"]
pytestmark = pytest.mark.skipif(slurm.missing() is not None, reason=str(slurm.missing()))


@pytest.fixture(scope="module")
def cluster():
    with slurm.Cluster() as cluster:
        yield cluster


class Sweep(NamedTuple):
    """A finished sweep: what it printed, its exit status, when it named each job (by number), and where it is."""

    said: str
    status: int
    named_s: dict[int, float]
    folder: Path

    def job(self, lr: str) -> str:
        """SLURM's name of the job with this learning rate."""
        array = re.search(r"jobs are in the queue, (\d+)_0 the first", self.said)
        return f"{array[1]}_{LRS.index(lr)}"


@pytest.fixture(scope="module")
def sweep(cluster, tmp_path_factory) -> Sweep:
    """Five jobs, three of them bad."""
    folder = tmp_path_factory.mktemp("sweep")
    signals = f"{{{TOLD}:{signal.SIGUSR2.value},{KILLED}:{signal.SIGKILL.value}}}"
    fate = f"+callbacks.fate={{_target_:tests.engines.fate.Fate,signals:{signals}}}"
    command = [
        sys.executable, "train.py", "-m", "hydra/launcher=slurm", *NODE, *TINY, "callbacks=preempt", "resume=auto",
        fate, "trainer.gradient_clip_val=null", f"paths.output_dir={folder}", f"optim.lr={','.join(LRS)}",
    ]  # fmt: skip
    environment = {**cluster.environment, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    limit = threading.Timer(480, process.kill)  # took 171 s on two cores shared by 13
    limit.start()
    threading.Thread(target=start_requeued, args=(cluster, process), daemon=True).start()
    lines, named_s = [], {}
    for line in process.stdout:
        lines.append(line)
        found = re.search(r"#(\d) optim.lr=\S+: (job|finished)", line)
        if found:
            named_s[int(found[1])] = time.time()
    limit.cancel()
    (runs,) = (folder / "sweeps").iterdir()
    return Sweep("".join(lines), process.wait(), named_s, runs)


def start_requeued(cluster: slurm.Cluster, process: subprocess.Popen) -> None:
    while process.poll() is None:
        for job in cluster.run("squeue", "--noheader", "--states=PENDING", "--array", "--format=%i").split():
            if cluster.job(job).get("Restarts") == "1":
                cluster.start_now(job)
        time.sleep(1)


def test_bad_jobs_are_named_with_their_logs_and_the_good_ones_ranked(sweep):
    for lr, reason in (
        (DIVERGING, "failed: FloatingPointError: .*loss is"),
        (CRASHING, "failed: .*Error: "),
        (KILLED, "is FAILED and left no result"),
    ):
        line = rf"#\d optim.lr={re.escape(lr)}: job {sweep.job(lr)} {reason}.*; log: (\S+)"
        found = re.search(line, sweep.said)
        assert found and Path(found[1]).is_file(), sweep.said[-4000:]
    assert sweep.status != 0 and "2 of 5 jobs finished; by val/total/loss, best first:" in sweep.said
    ranked = re.findall(r"([\d.]+) +#\d optim.lr=([\d.]+)$", sweep.said.split("best first:")[1], re.MULTILINE)
    assert {lr for _, lr in ranked} == {GOOD, TOLD} and float(ranked[0][0]) <= float(ranked[1][0])
    finished = {lr for number, lr in enumerate(LRS) if (sweep.folder / str(number) / "metrics.json").is_file()}
    assert finished == {GOOD, TOLD}


def test_a_job_killed_with_9_is_reported_within_seconds_not_waited_for(sweep, cluster):
    named_s = sweep.named_s[LRS.index(KILLED)]
    ended_s = datetime.fromisoformat(cluster.job(sweep.job(KILLED))["EndTime"]).timestamp()
    assert named_s - ended_s < 20  # a look every 5 s, an end in whole seconds, a busy machine
    assert named_s < sweep.named_s[LRS.index(TOLD)]


def test_the_queue_too_says_that_bad_jobs_failed(sweep, cluster):
    states = {lr: cluster.job(sweep.job(lr))["JobState"] for lr in LRS}
    assert states == {
        GOOD: "COMPLETED", TOLD: "COMPLETED", KILLED: "FAILED", DIVERGING: "FAILED", CRASHING: "FAILED",
    }  # fmt: skip


def test_a_job_that_submitit_is_told_to_give_up_saves_and_goes_on(sweep, cluster):
    job = sweep.job(TOLD)
    said = (sweep.folder / ".submitit" / job / f"{job}_0_log.out").read_text()
    assert cluster.job(job)["Restarts"] == "1"
    assert re.search(r"told to leave: step 2 is saved in .*resuming from .*last.ckpt", said, re.DOTALL)


def test_a_job_of_a_sweep_has_the_ranks_that_slurm_starts(cluster, tmp_path):
    """A rank that started others itself would repeat the sweep (fusion.training.ranks)."""
    two = ["hydra.launcher.tasks_per_node=2", "trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu"]
    command = [
        sys.executable, "train.py", "-m", "hydra/launcher=slurm", *NODE, *TINY, *two, "trainer.precision=32-true",
        "callbacks=journal", f"paths.output_dir={tmp_path}", "seed=0,1",
    ]  # fmt: skip
    loopback = {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo"}
    subprocess.run(command, cwd=ROOT, env={**cluster.environment, **loopback}, check=True, timeout=240)
    (runs,) = (tmp_path / "sweeps").iterdir()
    for job in ("0", "1"):
        assert (runs / job / "metrics.json").is_file()
        assert {path.suffix for path in (runs / job).glob("journal.jsonl.*")} == {".0", ".1"}


def test_a_search_runs_its_trials_on_the_nodes_and_names_what_became_of_them(cluster, tmp_path):
    script = tmp_path / "training.py"
    script.write_text(searches.TRAINING)
    trials = searches.points("good", "crash", "diverge", "kill", lrs=[0.2])
    trials |= {"launch": "srun --ntasks=1", "num_workers": 4, "overrides": ["pause_s=0.2"]}
    subprocess.run(
        searches.command(tmp_path, script, **trials), cwd=ROOT, env=cluster.environment, check=True, timeout=120
    )
    outcomes = {row["kind"]: row["outcome"] for row in searches.table(tmp_path)}
    assert outcomes == {
        "good": "finished", "crash": "crashed (exit 1)", "diverge": "diverged", "kill": "killed by SIGKILL",
    }  # fmt: skip


@pytest.mark.timeout(900)  # eight starts of a training: minutes on a busy machine
def test_two_nodes_preempted_in_any_step_lose_replay_and_skip_nothing(cluster, tmp_path):
    """The benchmark's 20 preemptions, shorter: losses, records and test results to the last bit, on both ranks."""
    counts = preempt_cycles.count(cluster, tmp_path, ["trainer.max_epochs=3"], 2, random.Random(0))
    assert counts.pop("preemptions") == 2 and counts.pop("steps") >= 24
    assert not any(counts.values()), counts
