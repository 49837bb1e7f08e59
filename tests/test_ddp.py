"""Two processes train and measure what one does. They are fresh interpreters that talk over gloo on this machine."""

import json
from pathlib import Path

import pytest
import torch
from ddp_job import fit_and_test

from benchmarks.ranks import run_ranks
from fusion.callbacks.journal import read_journal

TWO = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.precision=32-true"]


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Path:
    """One process with the global batch."""
    folder = tmp_path_factory.mktemp("ddp") / "one"
    fit_and_test(folder, ["data.batch_size=4"])
    return folder


@pytest.fixture(scope="module")
def two(one) -> Path:
    """Two processes with half of it each."""
    folder = one.parent / "two"
    folder.mkdir()
    job = [str(Path(__file__).with_name("ddp_job.py")), str(folder), *TWO, "data.batch_size=2"]
    run_ranks(job, folder, num_ranks=2, num_threads=1, timeout_s=240)
    return folder


def gradients(folder: Path, step: int, rank: int = 0) -> dict[str, torch.Tensor]:
    return torch.load(folder / f"gradients.{step}.{rank}.pt")


def test_ranks_read_different_records_and_lack_different_modalities(one, two):
    ranks = [read_journal(two / f"journal.jsonl.{rank}") for rank in range(2)]
    together = [sorted(a["records"] + b["records"]) for a, b in zip(*ranks, strict=True)]
    assert together == [sorted(line["records"]) for line in read_journal(one / "journal.jsonl.0")][: len(together)]
    absent = [[not any(line["present"][name]) for line in rank] for name in ("text", "photo") for rank in ranks]
    assert any(a != b for a, b in zip(absent[0] + absent[2], absent[1] + absent[3], strict=True))


def test_gradients_equal_those_of_one_process(one, two):
    num_steps = len(list(two.glob("gradients.*.0.pt")))
    assert num_steps >= 5
    for step in range(num_steps):
        wanted, got, other = gradients(one, step), gradients(two, step), gradients(two, step, rank=1)
        assert wanted.keys() == got.keys()
        norm = torch.cat([g.flatten() for g in wanted.values()]).norm()
        for name in wanted:
            assert (got[name] - wanted[name]).abs().max() <= 1e-6 * norm, (step, name)
            assert torch.equal(got[name], other[name])


def test_results_equal_those_of_one_process_and_no_record_counts_twice(one, two):
    wanted, got, other = (json.loads(p.read_text()) for p in (one / "results.0.json", *sorted(two.glob("results.*"))))
    assert got == other
    assert got["ids"] == wanted["ids"] and all(len(ids) == len(set(ids)) for ids in got["ids"].values())
    assert got["results"].keys() == wanted["results"].keys()
    for row, values in wanted["results"].items():
        assert got["results"][row] == pytest.approx(values, rel=1e-12, abs=0, nan_ok=True), row
