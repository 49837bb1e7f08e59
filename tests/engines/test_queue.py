"""What squeue says of a job, read without a cluster."""

import pytest

pytest.importorskip("submitit", reason="the extra 'slurm' is not installed")

from fusion.slurm import QueueWatcher

HEAD = "JOBID|STATE|NODELIST"


def watcher(*answers: str) -> QueueWatcher:
    watcher = QueueWatcher()
    for job in ("7_0", "7_1"):
        watcher.register_job(job)
    for answer in answers:
        watcher._info_dict.update(watcher.read_info("\n".join([HEAD, *answer.split()])))
    return watcher


@pytest.mark.parametrize(
    ("state", "is_done"),
    [
        ("PENDING", False), ("CONFIGURING", False), ("RUNNING", False), ("COMPLETING", False), ("COMPLETED", True),
        ("FAILED", True), ("NODE_FAIL", True), ("OUT_OF_MEMORY", True), ("TIMEOUT", True), ("PREEMPTED", True),
    ],
)  # fmt: skip
def test_only_an_end_is_an_end(state, is_done):
    assert watcher(f"7_0|{state}|n1 7_1|PENDING|").is_done("7_0", mode="cache") == is_done


def test_a_job_that_the_queue_no_longer_knows_has_ended():
    seen = watcher("7_0|RUNNING|n1 7_1|RUNNING|n2", "7_1|RUNNING|n2 8|PENDING|")
    assert seen.get_state("7_0", mode="cache") == "FORGOTTEN" and seen.is_done("7_0", mode="cache")
    assert not seen.is_done("7_1", mode="cache")


def test_a_job_that_the_queue_does_not_know_yet_is_waited_for():
    assert not watcher("6|RUNNING|n1").is_done("7_0", mode="cache")
