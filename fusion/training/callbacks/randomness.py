"""Make every random draw inside the model a function of where in the training it happens."""

from __future__ import annotations

import hashlib
from typing import Any

import pytorch_lightning as pl
import torch


class CountedRandomness(pl.Callback):
    """Seed torch's generators before every batch from (seed, epoch, batch, rank).

    A resumed run then drops the same units in batch 1000 as one that was never killed, and what validation or a
    worker draws in between changes nothing. Ranks differ, otherwise they would all drop the same units.
    """

    def __init__(self, *, seed: int):
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        torch.manual_seed(counted_seed(self.seed, trainer.current_epoch, batch_idx, trainer.global_rank))


def counted_seed(*counters: int) -> int:
    """A seed below 2^63 from whole numbers; neighbouring numbers give unrelated seeds."""
    return int.from_bytes(hashlib.blake2b(repr(counters).encode(), digest_size=8).digest(), "big") >> 1
