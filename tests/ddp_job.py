"""Fit and test a tiny model and keep its gradients and results; as a script, one rank of several, job after job."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch.distributed.tensor import DTensor

from fusion.training import run as train
from fusion.training.compose import compose_config

SMALL = [
    "experiment=fusion_tiny", "callbacks=journal", "logger=none", "modality=[text,ppg,photo,audio]",
    "data.cohort.num_people=40", "data.cohort.window_s=20", "data.cohort.missing_rate=0.4", "data.modality_dropout=0.4",
    "trainer.max_epochs=1", "size.feature_dropout=0", "+size.text.config.hidden_dropout_prob=0.0",
    "+size.text.config.attention_probs_dropout_prob=0.0", "report.generated_rows=[as_recorded]",
    "data.eval_batch_size=1", # records alone: products of other sizes round otherwise, and ties of ranks break
    "optim.lr=1e-12", "class_weights=balanced", "finetune=full",
]  # fmt: skip
MIDDLE = 3  # the step after which a checkpoint is saved


class Record(pl.Callback):
    """Save the gradients of every step, before and after they are clipped, a checkpoint, and the test results."""

    def __init__(self, folder: Path):
        self.folder = folder

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        self._save("gradients", trainer.global_step, pl_module)

    def _save(self, kind, step, pl_module):
        whole = {name: p.grad for name, p in pl_module.named_parameters() if p.grad is not None}
        whole = {name: g.full_tensor() if isinstance(g, DTensor) else g for name, g in whole.items()}
        torch.save(whole, self.folder / f"{kind}.{step}.{pl_module.global_rank}.pt")

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self._save("clipped", trainer.global_step - 1, pl_module)
        if trainer.global_step == MIDDLE:
            trainer.save_checkpoint(self.folder / "middle.ckpt")

    def on_test_end(self, trainer, pl_module):
        results = {"results": pl_module.results, "ids": {
            row: sorted(i for batch in heads["health_state"] for i in batch[0])
            for row, heads in pl_module.predictions.items()
        }}  # fmt: skip
        (self.folder / f"results.{trainer.global_rank}.json").write_text(json.dumps(results))


def run(folder: Path, overrides: list[str], *, is_tested: bool = True, resume: Path | None = None) -> None:
    """One job of ``SMALL`` with ``overrides``; everything it leaves is in ``folder``."""
    folder.mkdir(exist_ok=True)
    cfg = compose_config([*SMALL, *overrides, f"paths.run_dir={folder}", f"paths.output_dir={folder}"])
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    module.row_names = [row.name for row in data.test_rows()]
    callbacks = [train.instantiate(cfg.callbacks.journal), Record(folder)]
    trainer = train.instantiate(cfg.trainer, callbacks=callbacks, logger=False, enable_checkpointing=False)
    if is_tested:  # before the weights move by what rounding makes of a step
        trainer.test(module, datamodule=data)
    trainer.fit(module, datamodule=data, ckpt_path=resume)


if __name__ == "__main__":
    for job in json.loads(Path(sys.argv[1]).read_text()):
        run(Path(job["folder"]), job["overrides"], is_tested=job["is_tested"], resume=job.get("resume"))
