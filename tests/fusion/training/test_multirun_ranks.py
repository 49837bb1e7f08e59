"""A job of a multirun never starts its own ranks."""

import pytest
import pytorch_lightning as pl

from fusion.training import run as train
from fusion.training.compose import compose_config
from fusion.training.ranks import check_ranks

SLURM = {
    "SLURM_JOB_ID": "1", "SLURM_JOB_NAME": "sweep", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_NODELIST": "localhost",
}  # fmt: skip


def trainer(name: str, devices: int) -> pl.Trainer:
    cpu = ["trainer.accelerator=cpu", f"trainer.devices={devices}", "trainer.precision=32-true"]
    cfg = compose_config([f"trainer={name}", *cpu])
    return train.instantiate(cfg.trainer, logger=False)


@pytest.mark.parametrize("name", ["ddp", "fsdp2"])
def test_ranks_that_a_job_of_a_multirun_would_start_are_refused(name):
    with pytest.raises(ValueError, match=r"trainer.devices is 2 under -m: .* fusion.sweep, .*tasks_per_node=2"):
        check_ranks(trainer(name, 2), is_multirun=True)


def test_a_job_of_its_own_starts_them_and_one_rank_is_none():
    check_ranks(trainer("ddp", 2), is_multirun=False)
    check_ranks(trainer("ddp", 1), is_multirun=True)
    check_ranks(trainer("cpu", 1), is_multirun=True)


@pytest.mark.parametrize("given", [SLURM, {"LOCAL_RANK": "0", "NODE_RANK": "0", "WORLD_SIZE": "2"}])
def test_ranks_that_another_started_are_welcome(monkeypatch, given):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    check_ranks(trainer("ddp", 2), is_multirun=True)
