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

import pytest

from benchmarks import preempt_cycles
from tests.engines import cluster as slurm

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


@pytest.fixture(scope="module")
def sweep(cluster, tmp_path_factory):
    """(what the sweep printed, its exit status, when it named each job, the folder): five jobs, three of them bad."""
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
    limit = threading.Timer(300, process.kill)
    limit.start()
    threading.Thread(target=start_requeued, args=(cluster, process), daemon=True).start()
    lines, named = [], {}
    for line in process.stdout:
        lines.append(line)
        found = re.search(r"#(\d) optim.lr=.*: (failed|finished)", line)
        if found:
            named[int(found[1])] = time.time()
    limit.cancel()
    return "".join(lines), process.wait(), named, folder


def start_requeued(cluster: slurm.Cluster, process: subprocess.Popen) -> None:
    while process.poll() is None:
        for job in cluster.run("squeue", "--noheader", "--states=PENDING", "--array", "--format=%i").split():
            if cluster.job(job).get("Restarts") == "1":
                cluster.start_now(job)
        time.sleep(1)


def job(lr: str) -> str:
    return f"1_{LRS.index(lr)}"  # the first job that this cluster was given, an array


def test_bad_jobs_are_named_with_their_logs_and_the_good_ones_ranked(sweep):
    said, status, _, folder = sweep
    for lr, reason in (
        (DIVERGING, "raised FloatingPointError: .*loss is"),
        (CRASHING, "raised .*Error: "),
        (KILLED, "is FAILED and left no result"),
    ):
        found = re.search(rf"#\d optim.lr={re.escape(lr)}: failed, job {job(lr)} {reason}.*; log: (\S+)", said)
        assert found and Path(found[1]).is_file(), said[-4000:]
    assert status != 0 and "2 of 5 jobs finished; by val/total/loss, best first:" in said
    ranked = re.findall(r"([\d.]+) +#\d optim.lr=([\d.]+)$", said.split("best first:")[1], re.MULTILINE)
    assert {lr for _, lr in ranked} == {GOOD, TOLD} and float(ranked[0][0]) <= float(ranked[1][0])
    runs = next((folder / "sweeps").iterdir())
    finished = {lr for number, lr in enumerate(LRS) if (runs / str(number) / "metrics.json").is_file()}
    assert finished == {GOOD, TOLD}


def test_a_job_killed_with_9_is_reported_within_seconds_not_waited_for(sweep, cluster):
    _, _, named, _ = sweep
    ended_s = datetime.fromisoformat(cluster.job(job(KILLED))["EndTime"]).timestamp()
    assert named[LRS.index(KILLED)] - ended_s < 20  # a look every 5 s, the end in whole seconds, a busy machine
    assert named[LRS.index(KILLED)] < named[LRS.index(TOLD)]


def test_the_queue_too_says_that_bad_jobs_failed(sweep, cluster):
    states = {lr: cluster.job(job(lr))["JobState"] for lr in LRS}
    assert states == {
        GOOD: "COMPLETED", TOLD: "COMPLETED", KILLED: "FAILED", DIVERGING: "FAILED", CRASHING: "FAILED",
    }  # fmt: skip


def test_a_job_that_submitit_is_told_to_give_up_saves_and_goes_on(sweep, cluster):
    folder = next((sweep[3] / "sweeps").iterdir())
    said = (folder / ".submitit" / job(TOLD) / f"{job(TOLD)}_0_log.out").read_text()
    assert cluster.job(job(TOLD))["Restarts"] == "1"
    assert re.search(r"told to leave: step 2 is saved in .*resuming from .*last.ckpt", said, re.DOTALL)


def test_two_nodes_preempted_in_any_step_lose_replay_and_skip_nothing(cluster, tmp_path):
    """The benchmark's 20 preemptions, shorter: losses, records and test results to the last bit, on both ranks."""
    counts = preempt_cycles.count(cluster, tmp_path, ["trainer.max_epochs=3"], 2, random.Random(0))
    assert counts.pop("preemptions") == 2 and counts.pop("steps") >= 24
    assert not any(counts.values()), counts
