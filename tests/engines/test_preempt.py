"""Told to leave, a run finishes its step, saves it and asks for what comes next."""

import os
import signal

import pytest
import pytorch_lightning as pl
import torch

from fusion.training.callbacks.preempt import TRY_AGAIN, PreemptCheckpoint


class Module(pl.LightningModule):
    """A line through noise; the step in ``at`` gets ``number`` in the middle of its backward pass."""

    def __init__(self, number: int, at: int):
        super().__init__()
        self.layer, self.number, self.at = torch.nn.Linear(1, 1), number, at

    def training_step(self, batch, batch_idx):
        return self.layer(batch).square().mean()

    def on_before_backward(self, loss):
        if self.global_step == self.at:
            signal.raise_signal(self.number)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture(autouse=True)
def handlers():
    """Those of this process, back again afterwards."""
    numbers = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    """A program of that name that writes down what it is asked; ``refuse()`` makes it fail."""
    path = tmp_path / "bin" / "scontrol"
    path.parent.mkdir()
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("SLURM_JOB_NAME", "bash")  # Lightning then does not take this process for a task of a job

    def answers(script: str) -> None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    answers(f"echo $@ > {tmp_path}/asked")
    return answers


def fit(folder, number: int, at: int = 2) -> None:
    callback = PreemptCheckpoint(dirpath=str(folder), every_n_steps=None, every_n_minutes=None)
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, callbacks=[callback], logger=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False,
    )  # fmt: skip
    trainer.fit(Module(number, at), torch.utils.data.DataLoader(torch.randn(6, 1)))


@pytest.mark.parametrize(("number", "is_requeued"), [("SIGUSR1", True), ("SIGUSR2", True), ("SIGTERM", False)])
def test_the_step_is_finished_saved_and_only_then_left(tmp_path, scontrol, number, is_requeued):
    with pytest.raises(SystemExit) as left:
        fit(tmp_path, getattr(signal, number))
    assert left.value.code == TRY_AGAIN
    assert torch.load(tmp_path / "last.ckpt")["global_step"] == 3
    assert (tmp_path / "asked").is_file() == is_requeued
    if is_requeued:
        assert (tmp_path / "asked").read_text() == "requeue 17\n"


def test_told_in_the_last_step_it_leaves_with_the_epoch_s_checkpoint(tmp_path, scontrol):
    with pytest.raises(SystemExit):
        fit(tmp_path, signal.SIGUSR1, at=5)
    assert torch.load(tmp_path / "last.ckpt")["global_step"] == 6


def test_what_was_there_to_requeue_does_it(tmp_path, scontrol):
    """submitit's handler: it also writes down what to run again."""
    told = []
    signal.signal(signal.SIGUSR2, lambda *_: told.append(torch.load(tmp_path / "last.ckpt")["global_step"]))
    with pytest.raises(SystemExit):
        fit(tmp_path, signal.SIGUSR2)
    assert told == [3] and not (tmp_path / "asked").exists()


def test_a_job_that_cannot_be_requeued_says_so(tmp_path, scontrol):
    scontrol("echo 'Requested operation is presently disabled' >&2; exit 1")
    with pytest.raises(RuntimeError, match=r"cannot requeue job 17: .*disabled; the run is saved in .*last.ckpt"):
        fit(tmp_path, signal.SIGUSR1)
    assert torch.load(tmp_path / "last.ckpt")["global_step"] == 3
