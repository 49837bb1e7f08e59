"""Give a machine back when the scheduler asks for it: finish the batch, save, and have the job queued again."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor

from fusion.training.callbacks.resume import ResumeCheckpoint

REQUEUE = (signal.SIGUSR1, signal.SIGUSR2)  # what sbatch --signal=USR1@120 sends; submitit sends the other
STOP = signal.SIGTERM  # scancel, or a preemption after which SLURM itself queues the job again
TRY_AGAIN = 75  # exit status: EX_TEMPFAIL of sysexits.h


class PreemptCheckpoint(ResumeCheckpoint):
    """A ResumeCheckpoint that SIGUSR1 and SIGUSR2 make save, requeue and exit, and SIGTERM save and exit.

    A handler only notes the signal. The ranks agree after every optimiser step, so all save the same one, whichever was
    told first and wherever in its backward pass it was; Lightning's own handler saves inside the signal, where the
    other ranks never join. Told during validation, a run leaves after its next step; during the test, it finishes.
    """

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self._told = self._agreed = 0  # 1: stop, 2: requeue
        self._group: dist.ProcessGroup | None = None
        self._earlier: dict[int, Any] = {}

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Before Lightning's handlers: it registers none where there is one."""
        if self._earlier:
            return
        self._earlier = {number: signal.signal(number, self._note) for number in REQUEUE}
        if trainer.world_size > 1:  # of its own, on the CPU: reading a GPU's answer would hold up every step
            self._group = dist.new_group(backend="gloo")

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        signal.signal(STOP, self._note)  # after Lightning's, which broadcasts inside the handler

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._agree(trainer):
            self._leave(trainer)

    def _due(self, trainer: pl.Trainer) -> bool:
        is_due = super()._due(trainer)
        return self._agree(trainer) > 0 or is_due

    def _save(self, trainer: pl.Trainer, loss: Tensor | None = None) -> None:
        super()._save(trainer, loss)
        if self._agreed:
            self._leave(trainer)

    def _note(self, number: int, frame: object) -> None:
        self._told = max(self._told, 1 if number == STOP else 2)

    def _agree(self, trainer: pl.Trainer) -> int:
        """The most that any rank was told."""
        told = torch.tensor(self._told)
        if trainer.world_size > 1:
            dist.all_reduce(told, dist.ReduceOp.MAX, group=self._group)
        self._agreed = int(told)
        return self._agreed

    def _leave(self, trainer: pl.Trainer) -> None:
        signal.signal(STOP, signal.SIG_DFL)  # a requeue ends the processes with it
        if trainer.is_global_zero:
            print(f"told to leave: step {trainer.global_step} is saved in {self.path}", flush=True)
        try:
            if self._agreed == 2 and trainer.is_global_zero:
                self._requeue()
        finally:
            trainer.strategy.barrier()  # who leaves first may take the others along
        raise SystemExit(TRY_AGAIN)

    def _requeue(self) -> None:
        by_submitit = next((handler for handler in self._earlier.values() if callable(handler)), None)
        job = os.environ.get("SLURM_JOB_ID")
        if by_submitit is not None:  # writes down what to run again, counts time-outs, requeues, exits
            by_submitit(signal.SIGUSR2, None)
        elif job is not None:
            done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True)
            if done.returncode != 0:
                raise RuntimeError(
                    f"cannot requeue job {job}: {done.stderr.strip()}; the run is saved in {self.path}, submit it "
                    f"again with resume=auto"
                )
