"""Watch the jobs of a sweep in SLURM's own queue: a dead one is seen within seconds, accounting daemon or not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from submitit.core.core import Job
from submitit.slurm.slurm import SlurmInfoWatcher, SlurmJob

POLL_S = 1.0
FORGOTTEN = "FORGOTTEN"  # ended longer ago than the queue remembers (MinJobAge)
ENDED = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",
    "TIMEOUT", FORGOTTEN,
}  # fmt: skip


class QueueWatcher(SlurmInfoWatcher):
    """States by ``squeue``; submitit asks ``sacct``, and waits forever where no slurmdbd answers it.

    A preempted job that is queued again is PENDING here, so PREEMPTED is an end.
    """

    def _make_command(self) -> list[str]:
        return ["squeue", "--me", "--states=all", "--array", "--format=%i|%T|%N"]

    def read_info(self, string: bytes | str) -> dict[str, dict[str, str]]:
        text = string if isinstance(string, str) else string.decode()
        rows = [line.split("|") for line in text.splitlines()[1:]]
        info = {job: {"JobID": job, "State": state, "NodeList": nodes} for job, state, nodes in rows}
        for job in (self._registered - self._finished) & set(self._info_dict) - set(info):
            info[job] = {"JobID": job, "State": FORGOTTEN}
        return info

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        return self.get_state(job_id, mode=mode) in ENDED


class JobFailedError(RuntimeError):
    """A job of a sweep that failed: what it raised, or the state in which SLURM has it; and its log."""


def collect(jobs: Sequence[Job], on_end: Callable[[int, object], None]) -> list[object]:
    """The results of all jobs in order, JobFailedError for a bad one; ``on_end(index, result)`` as each one ends."""
    SlurmJob.watcher = QueueWatcher(delay_s=5)
    results: dict[int, object] = {}
    while len(results) < len(jobs):
        for index in set(range(len(jobs))) - set(results):
            if jobs[index].done():
                results[index] = _result(jobs[index])
                on_end(index, results[index])
        time.sleep(POLL_S)
    return [results[index] for index in range(len(jobs))]


def _result(job: Job) -> object:
    paths, state = job.task(0).paths, job.state
    if not paths.result_pickle.exists() and state != "COMPLETED":  # killed, out of memory, its node lost
        return JobFailedError(f"job {job.job_id} is {state} and left no result; log: {paths.stderr}")
    try:
        return job.results()[0]
    except Exception as error:  # whatever the job raised: one bad job must not end the sweep
        return JobFailedError(f"job {job.job_id} failed: {_reason(str(error))}; log: {paths.stderr}")


def _reason(message: str) -> str:
    """Of submitit's message, the last line of the traceback in it, or where there is none, what it begins with."""
    trace = re.search(r"-{10,}\n(.*?)\n+-{10,}", message, re.DOTALL)
    return trace[1].splitlines()[-1] if trace else " ".join(message.splitlines()[:2])
