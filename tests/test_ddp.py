"""Two processes train and measure what one does. They are fresh interpreters that talk over gloo on this machine."""

import json
from pathlib import Path

import pytest
import torch
from ddp_job import MIDDLE, run

from benchmarks.ranks import run_ranks
from fusion.training.callbacks.journal import read_journal

RANKS = ["trainer.accelerator=cpu", "trainer.devices=2", "trainer.precision=32-true", "data.batch_size=2"]
LEARNING = "optim.lr=1e-3"  # otherwise a lost optimiser state would not show
STRATEGIES = ("ddp", "fsdp2")
TOLERANCE = {"ddp": 1e-12, "fsdp2": 1e-5}  # relative, of results; shares need other convolution kernels


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One process with the global batch, and two with half of it each, under each strategy."""
    folder = tmp_path_factory.mktemp("ddp")
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the ranks: sums over threads round otherwise
    run(folder / "one", ["data.batch_size=4"])
    torch.set_num_threads(num_threads)
    whole, resumed = folder / "whole", folder / "resumed"
    jobs = [{"folder": folder / s, "overrides": [f"trainer={s}", *RANKS], "is_tested": True} for s in STRATEGIES]
    learning = {"overrides": ["trainer=fsdp2", *RANKS, LEARNING], "is_tested": False}
    jobs += [{"folder": whole, **learning}, {"folder": resumed, **learning, "resume": whole / "middle.ckpt"}]
    (folder / "jobs.json").write_text(json.dumps(jobs, default=str))
    job = [str(Path(__file__).with_name("ddp_job.py")), str(folder / "jobs.json")]
    run_ranks(job, folder, num_ranks=2, num_threads=1, timeout_s=400)
    return folder


def gradients(folder: Path, kind: str, step: int, rank: int = 0) -> dict[str, torch.Tensor]:
    return torch.load(folder / f"{kind}.{step}.{rank}.pt")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ranks_read_different_records_and_lack_different_modalities(folder, strategy):
    ranks = [read_journal(folder / strategy / f"journal.jsonl.{rank}") for rank in range(2)]
    together = [sorted(a["records"] + b["records"]) for a, b in zip(*ranks, strict=True)]
    alone = [sorted(line["records"]) for line in read_journal(folder / "one" / "journal.jsonl.0")]
    assert together == alone[: len(together)]
    absent = [[not any(line["present"][name]) for line in rank] for name in ("text", "photo") for rank in ranks]
    assert any(a != b for a, b in zip(absent[0] + absent[2], absent[1] + absent[3], strict=True))


@pytest.mark.parametrize("kind", ["gradients", "clipped"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_gradients_equal_those_of_one_process(folder, strategy, kind):
    num_steps = len(list((folder / strategy).glob(f"{kind}.*.0.pt")))
    assert num_steps >= 5
    for step in range(num_steps):
        wanted, got, other = (
            gradients(folder / s, kind, step, r) for s, r in (("one", 0), (strategy, 0), (strategy, 1))
        )
        assert wanted.keys() == got.keys()
        norm = torch.cat([g.flatten() for g in wanted.values()]).norm()
        for name in wanted:
            assert (got[name] - wanted[name]).abs().max() <= 1e-6 * norm, (step, name)
            assert torch.equal(got[name], other[name])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_results_equal_those_of_one_process_and_no_record_counts_twice(folder, strategy):
    wanted, got, other = (
        json.loads((folder / path).read_text())
        for path in ("one/results.0.json", f"{strategy}/results.0.json", f"{strategy}/results.1.json")
    )
    assert got == other
    assert got["ids"] == wanted["ids"] and all(len(ids) == len(set(ids)) for ids in got["ids"].values())
    assert got["results"].keys() == wanted["results"].keys()
    for row, values in wanted["results"].items():
        assert got["results"][row] == pytest.approx(values, rel=TOLERANCE[strategy], abs=0, nan_ok=True), row


def test_sharded_training_resumes_where_it_was(folder):
    """The same batches and losses, to the last bit, as the run that went on."""
    for rank in range(2):
        whole, resumed = (read_journal(folder / run / f"journal.jsonl.{rank}") for run in ("whole", "resumed"))
        assert len(whole) > MIDDLE and resumed == whole[MIDDLE:]


def test_sharded_checkpoint_is_one_file_that_a_single_process_reads(folder):
    sharded, plain = (torch.load(folder / s / "middle.ckpt", weights_only=True) for s in ("fsdp2", "one"))
    assert sharded["state_dict"].keys() == plain["state_dict"].keys()
    for name, value in plain["state_dict"].items():
        torch.testing.assert_close(sharded["state_dict"][name], value, rtol=0, atol=1e-9)
