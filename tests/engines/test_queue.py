"""What squeue says of a job, read without a cluster."""

from pathlib import Path

import pytest

pytest.importorskip("submitit", reason="the extra 'slurm' is not installed")

from fusion.training.slurm import JobFailedError, QueueWatcher, collect

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


class Job:
    """What ``collect`` asks of a submitit job that has ended with a file of results."""

    job_id, state = "7_0", "COMPLETED"

    def __init__(self, answer: object):
        self.answer, self.stderr, self.result_pickle = answer, Path("7_0.err"), Path(__file__)

    @property
    def paths(self):
        return self

    def task(self, number: int):
        return self

    def done(self) -> bool:
        return True

    def results(self) -> list[object]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return [self.answer]


def test_a_bad_job_is_said_to_have_raised_what_ended_its_traceback_and_the_others_are_collected():
    trace = "Job (task=0) failed with trace:\n----------\nTraceback:\n  File x\nKeyError: 'age'\n\n----------\nYou can"
    lost = "Job 7_0 (task: 1) with path p\nhas not produced any output (state: FAILED)\nError stream:\n----------\nx"
    results = collect([Job(RuntimeError(trace)), Job(3), Job(RuntimeError(lost))], lambda index, result: None)
    assert results[1] == 3 and all(isinstance(results[i], JobFailedError) for i in (0, 2))
    assert str(results[0]) == "job 7_0 failed: KeyError: 'age'; log: 7_0.err"
    assert "job 7_0 failed: Job 7_0 (task: 1) with path p has not produced any output (state: FAILED); log" in str(
        results[2]
    )
