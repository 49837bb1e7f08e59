"""What befalls a job of a test: the signal it gets."""

import os

import pytorch_lightning as pl


class Fate(pl.Callback):
    """After its first step, the job whose learning rate is in ``signals`` gets that signal; not when it runs again."""

    def __init__(self, *, signals: dict[float, int]):
        self.signals = signals

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        number = self.signals.get(pl_module.optim.lr)
        if trainer.global_step == 1 and number is not None and "SLURM_RESTART_COUNT" not in os.environ:
            os.kill(os.getpid(), number)
