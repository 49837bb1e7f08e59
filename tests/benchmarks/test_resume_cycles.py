"""Two ranks killed with -9 go on as if nothing had happened; one rank: callbacks/test_resume.py."""

from benchmarks import resume_cycles

QUICK = ["modality=[text,ppg,audio]", "head=[health_state]", "report.generated_rows=[]", "data.cohort.num_people=24"]


def test_two_ranks_killed_and_resumed_are_bit_identical_to_undisturbed():
    """The benchmark's 20 kills, shorter: losses, records, modality dropout and dropout of both ranks, test results."""
    counts = resume_cycles.main(["--cycles", "2", "--ranks", "2", "--max-epochs", "2", *QUICK])
    assert counts.pop("kills") == 2 and counts.pop("steps") >= 12
    assert not any(counts.values()), counts
