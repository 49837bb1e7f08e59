"""The training loop's view of the model: steps, losses, metrics, optimiser. No architecture."""

# Shapes: B records, K classes, P plan tokens.

from __future__ import annotations

import math

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor

from fusion.batch import Batch, check_batch
from fusion.evidence.kinds import kind_of
from fusion.model import FusionModel
from fusion.objectives.base import Objective
from fusion.pipeline import Pipeline
from fusion.targets import Target
from fusion.training.measurements import Answers, Measurements
from fusion.training.optim import AdamW


class FusionModule(pl.LightningModule):
    """Train and measure a FusionModel.

    A test runs over several loaders, one per row of the results table; ``row_names`` names them (set before
    ``trainer.test``); plans are generated for ``generated_rows`` only. After a test ``results`` is
    {row: {"head/metric": value}} and ``predictions`` is {row: {head: [(record ids, predicted, target) of each batch]}}.
    """

    def __init__(self, *, model: FusionModel, objective: Objective, optim: AdamW, generated_rows: list[str]) -> None:
        super().__init__()
        self.model, self.objective, self.optim, self.generated_rows = model, objective, optim, generated_rows
        self.pipeline = Pipeline(model)
        self.row_names = ["as_recorded"]
        self.results: dict[str, dict[str, float]] = {}
        self.predictions: dict[str, dict[str, list]] = {}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        if self.global_step == 0:
            check_batch(batch, list(self.model.encoders), {n: head.target for n, head in self.model.heads.items()})
        shares = self._shares(batch, batch_idx)  # first: here the ranks meet anyway, behind the model they would wait
        fused, outputs = self.model(batch, with_tokens=True)
        losses = self.objective(self.model, batch, fused, outputs, shares)
        is_new_step = batch_idx % self.trainer.accumulate_grad_batches == 0
        if is_new_step and self.global_step % self.trainer.log_every_n_steps == 0:
            self._log_losses({name: value.detach() for name, value in losses.items()})
        return losses["loss"]

    def _shares(self, batch: Batch, batch_idx: int) -> dict[str, Tensor] | None:
        """By head, what the mean loss must be multiplied by for a step to take the mean over all ranks and batches.

        Ranks and accumulated batches hold different numbers of labels and tokens; their plain average would give a
        token of a short plan more weight than in a single process with the same global batch.
        """
        world_size, num_batches = self.trainer.world_size, self.trainer.accumulate_grad_batches
        if world_size * num_batches == 1:
            return None
        if batch_idx % num_batches == 0:
            group = torch.stack([self._weights(targets) for targets in batch.group or [batch.targets]]).sum(dim=0)
            self._everyone = self.trainer.strategy.reduce(group, reduce_op="sum") if world_size > 1 else group
        mine, everyone = self._weights(batch.targets), self._everyone.clamp(min=torch.finfo(torch.float32).tiny)
        shares = world_size * num_batches * mine / everyone
        return dict(zip(self.model.heads, shares, strict=True))

    def _weights(self, targets: dict[str, Tensor]) -> Tensor:
        """How much each head's loss is a mean over."""
        return torch.stack([head.weight(targets[head.target]).to(torch.float32) for head in self.model.heads.values()])

    def _log_losses(self, losses: dict[str, Tensor]) -> None:
        """Straight to the loggers.

        ``self.log`` costs 0.6 ms a scalar, and would hold step 0's values back until step 9 and call them step 9's.
        """
        values = torch.stack(list(losses.values())).tolist()  # one wait for the device
        scalars = {f"train/{name}": value for name, value in zip(losses, values, strict=True)}
        if not math.isfinite(scalars["train/loss"]):
            raise FloatingPointError(f"loss is {scalars['train/loss']} at step {self.global_step}; lower optim.lr")
        for logger in self.loggers:
            logger.log_metrics(scalars, step=self.global_step)
        self.log("train/loss", losses["loss"], prog_bar=True, logger=False)

    def on_validation_epoch_start(self) -> None:
        self._measured = Measurements(["as_recorded"])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        is_fitting = self.trainer.state.fn == TrainerFn.FITTING  # plans are written once, by trainer.validate
        self._measure(batch, "as_recorded", is_generating=not is_fitting)

    def on_validation_epoch_end(self) -> None:
        self._finish_rows()
        if not math.isfinite(self.results["as_recorded"]["total/loss"]):
            raise FloatingPointError(f"validation loss is not finite at step {self.global_step}; lower optim.lr")
        self.log_dict({f"val/{name}": value for name, value in self.results["as_recorded"].items()})

    def on_test_epoch_start(self) -> None:
        self._measured = Measurements(self.row_names)

    def test_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        row = self.row_names[dataloader_idx]
        self._measure(batch, row, is_generating=row in self.generated_rows)

    def on_test_epoch_end(self) -> None:
        self._finish_rows()

    def configure_optimizers(self) -> dict[str, object]:
        optimizer, schedule = self.optim.build(self.model, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _measure(self, batch: Batch, row: str, *, is_generating: bool) -> None:
        fused = self.pipeline.read(batch.streams)
        is_held = is_generating and batch.contexts is not None
        contexts = self.pipeline.held_to(fused, batch.contexts) if is_held else None
        answers = self.pipeline.answer(fused, contexts, is_generating=is_generating)
        outputs = self.model.answer(fused, batch.targets)
        for name, head in self.model.heads.items():
            target = batch.targets[head.target]
            is_labelled = head.is_labelled(target)
            if not is_labelled.any():
                continue
            self._measured.add_loss(row, name, head.loss(outputs[name], target), head.weight(target))
            if name not in answers:
                continue
            kept = is_labelled.tolist()
            extra = ()  # what the metric of plans is fed with as well
            if head.is_generative and contexts is not None:
                extra = ([context for context, is_kept in zip(contexts, kept, strict=True) if is_kept],)
            ids = [record for record, is_kept in zip(batch.record_ids, kept, strict=True) if is_kept]
            self._measured.add(row, name, Answers(ids, answers[name][is_labelled], target[is_labelled], extra))

    def _finish_rows(self) -> None:
        self._measured.gather()
        metrics = {n: kind_of(Target(head.kind, head.names)).metric for n, head in self.model.heads.items()}
        weights = {name: head.loss_weight for name, head in self.model.heads.items()}
        self.results = self._measured.compute(metrics, weights)
        self.predictions = {
            row: {head: [batch[:3] for batch in batches] for head, batches in heads.items()}
            for row, heads in self._measured.answers.items()
        }
