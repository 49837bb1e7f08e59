"""Who starts the ranks of a job: SLURM or another launcher, or the job itself by repeating its command line."""

from __future__ import annotations

import pytorch_lightning as pl


def check_ranks(trainer: pl.Trainer, *, is_multirun: bool) -> None:
    """ValueError where a job of a multirun would start its own ranks: ``-m`` repeated is the whole sweep again."""
    starts_ranks = trainer.num_devices > 1 and not trainer.strategy.cluster_environment.creates_processes_externally
    if is_multirun and starts_ranks:
        raise ValueError(
            f"trainer.devices is {trainer.num_devices} under -m: a job starts its other ranks by repeating the command "
            f"line, and that would be the whole sweep once more. Use python -m fusion.sweep, whose trials are commands "
            f"of their own; or hydra/launcher=slurm hydra.launcher.tasks_per_node={trainer.num_devices}, where SLURM "
            f"starts the ranks; or trainer.devices=1"
        )
