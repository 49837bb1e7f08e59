"""Write down which records every training step saw and what its loss was, to the last bit."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class Journal(pl.Callback):
    """Append one json line a batch to ``path``.<rank>: attempt, epoch, batch, step, loss (hex), record ids.

    The line goes to the system in one ``write``: a kill -9 of the process afterwards does not lose it. ``attempt``
    tells the processes that wrote to one file apart. Reading the loss at every step waits for a GPU: for audits only.
    """

    def __init__(self, *, path: str, attempt: int):
        self.path, self.attempt = Path(path), attempt

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        line = {
            "attempt": self.attempt,
            "epoch": trainer.current_epoch,
            "batch": batch_idx,
            "step": trainer.global_step,
            "loss": outputs["loss"].item().hex(),
            "records": batch.record_ids,
            "present": {name: stream.valid.any(dim=1).tolist() for name, stream in batch.streams.items()},
        }
        file = os.open(f"{self.path}.{trainer.global_rank}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)


def read_journal(path: str | Path) -> list[dict[str, Any]]:
    """The lines of one rank's journal, in the order written."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]
