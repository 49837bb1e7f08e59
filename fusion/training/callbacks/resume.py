"""Save what a killed run needs to go on as if nothing had happened, and find it again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor

LAST = Path("checkpoints") / "last.ckpt"  # within a run directory


class ResumeCheckpoint(Checkpoint):
    """Save ``dirpath``/last.ckpt every ``every_n_steps`` optimiser steps or ``every_n_minutes``, and after every epoch.

    Either interval may be None. Only moments from which Lightning restarts exactly are used: after an optimiser step
    (half-accumulated gradients are in no checkpoint), and where validation is due, after it. The data module saves the
    position in the epoch; dropout is seeded by that position (CountedRandomness). The loggers are flushed first, so
    whatever the checkpoint knows is in the logs too.
    """

    def __init__(self, *, dirpath: str, every_n_steps: int | None, every_n_minutes: float | None):
        super().__init__()
        for name, value in (("every_n_steps", every_n_steps), ("every_n_minutes", every_n_minutes)):
            if value is not None and value <= 0:
                raise ValueError(f"{name} is {value}, expected more than 0, or null; set callbacks.resume.{name}")
        self.path = Path(dirpath) / LAST.name
        self.every_n_steps, self.every_n_minutes = every_n_steps, every_n_minutes
        self._is_due = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._step, self._saved_s = trainer.global_step, time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step == self._step:  # gradients are still being accumulated
            return
        self._step = trainer.global_step
        self._is_due = self._is_due or self._due(trainer)
        done = batch_idx + 1
        validates = trainer.val_check_batch is not None and done % trainer.val_check_batch == 0
        if self._is_due and done < trainer.num_training_batches and not validates:
            self._save(trainer, outputs["loss"])

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._save(trainer)

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict) -> None:
        checkpoint["is_stopped"] = trainer.should_stop

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict) -> None:
        if trainer.state.fn == "fit":  # Lightning forgets that early stopping had decided
            trainer.should_stop = checkpoint.get("is_stopped", False)

    def _due(self, trainer: pl.Trainer) -> bool:
        by_steps = self.every_n_steps is not None and trainer.global_step % self.every_n_steps == 0
        waited_s = time.monotonic() - self._saved_s
        by_time = self.every_n_minutes is not None and waited_s >= 60 * self.every_n_minutes
        if self.every_n_minutes is not None and trainer.world_size > 1:
            by_time = trainer.strategy.broadcast(by_time)  # clocks differ, and saving is collective
        return by_steps or by_time

    def _save(self, trainer: pl.Trainer, loss: Tensor | None = None) -> None:
        if loss is not None and not torch.isfinite(loss):
            raise FloatingPointError(
                f"loss is {loss.item()} at step {trainer.global_step - 1}; not saved, and {self.path.name} stays as "
                f"it was; lower optim.lr"
            )
        for logger in trainer.loggers:
            logger.save()
        trainer.save_checkpoint(self.path)
        self._is_due, self._saved_s = False, time.monotonic()


def find_checkpoint(resume: str, run_dir: Path) -> Path | None:
    """The checkpoint that ``resume`` asks for; None = start at step 0.

    ``never``: None. ``auto``: the one of ``run_dir`` if there is one. Else a checkpoint file or a run directory.
    """
    if resume == "never":
        return None
    if resume == "auto":
        return run_dir / LAST if (run_dir / LAST).is_file() else None
    path = Path(resume)
    path = path / LAST if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"resume={resume}: no checkpoint at {path}; give auto, never, a .ckpt file or a run directory")
    return path
