"""The training loop's view of the model: steps, losses, metrics, optimiser. No architecture."""

# Shapes: B records, K classes, P plan tokens.

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable

import pytorch_lightning as pl
import torch
from torch import Tensor
from torchmetrics import MeanMetric, Metric, MetricCollection

from fusion.batch import Batch, check_batch
from fusion.model import FusionModel
from fusion.objective import WeightedSum
from fusion.optim import AdamW

MetricFactory = Callable[[], Metric | MetricCollection]


class FusionModule(pl.LightningModule):
    """Train and measure a FusionModel.

    ``metrics``: head -> a factory of its metric collection. A test runs over several loaders, one per row of the
    results table; ``row_names`` names them (set before ``trainer.test``); plans are generated for ``generated_rows``
    only. After a test ``results`` is {row: {"head/metric": value}} and ``predictions`` is
    {row: {head: [(record ids, predicted, target) of each batch]}}.
    """

    def __init__(
        self, *, model: FusionModel, objective: WeightedSum, optim: AdamW, metrics: dict[str, MetricFactory],
        generated_rows: list[str],
    ):  # fmt: skip
        super().__init__()
        self.model, self.objective, self.optim = model, objective, optim
        self.metric_factories, self.generated_rows = metrics, generated_rows
        self.row_names = ["as_recorded"]
        self.results: dict[str, dict[str, float]] = {}
        self.predictions: dict[str, dict[str, list]] = {}
        if set(metrics) != set(model.heads):
            raise ValueError(f"metrics are configured for {sorted(metrics)}, the model has heads {sorted(model.heads)}")

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        if self.global_step == 0:
            check_batch(batch, list(self.model.encoders), list(self.model.heads))
        losses = self.objective(self.model.heads, self.model(batch), batch.targets)
        is_new_step = batch_idx % self.trainer.accumulate_grad_batches == 0
        if is_new_step and self.global_step % self.trainer.log_every_n_steps == 0:
            self._log_losses({name: value.detach() for name, value in losses.items()})
        return losses["loss"]

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
        self._start_rows(["as_recorded"])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        is_last = not (self.trainer.sanity_checking or self.trainer.training)  # trainer.validate, not trainer.fit
        self._measure(batch, "as_recorded", is_generating=is_last)

    def on_validation_epoch_end(self) -> None:
        self._finish_rows()
        if not math.isfinite(self.results["as_recorded"]["total/loss"]):
            raise FloatingPointError(f"validation loss is not finite at step {self.global_step}; lower optim.lr")
        self.log_dict({f"val/{name}": value for name, value in self.results["as_recorded"].items()})

    def on_test_epoch_start(self) -> None:
        self._start_rows(self.row_names)

    def test_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        row = self.row_names[dataloader_idx]
        self._measure(batch, row, is_generating=row in self.generated_rows)

    def on_test_epoch_end(self) -> None:
        self._finish_rows()

    def configure_optimizers(self) -> dict[str, object]:
        optimizer, schedule = self.optim.build(self.model, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _start_rows(self, rows: list[str]) -> None:
        self._meters: dict[str, dict[str, Metric | MetricCollection]] = {row: {} for row in rows}
        self._seen: dict[str, dict[str, list]] = {row: defaultdict(list) for row in rows}

    def _measure(self, batch: Batch, row: str, *, is_generating: bool) -> None:
        fused = self.model.fuse(self.model.encode(batch.streams))
        logits = {name: head(fused, batch.targets[name]) for name, head in self.model.heads.items()}
        losses = self.objective(self.model.heads, logits, batch.targets)
        self._meter(row, "total/loss", MeanMetric).update(losses["loss"], len(batch.record_ids))
        for name, head in self.model.heads.items():
            target = batch.targets[name]
            labelled = head.is_labelled(target)
            if not labelled.any():
                continue
            self._meter(row, f"{name}/loss", MeanMetric).update(losses[name], int(labelled.sum()))
            if head.is_generative and not is_generating:
                continue
            meter = self._meter(row, name, self.metric_factories[name])
            if head.is_generative:
                predicted = head.predict(fused, [known.limits for known in batch.known])
                known = [known for known, is_known in zip(batch.known, labelled.tolist(), strict=True) if is_known]
                meter.update(predicted[labelled], target[labelled], known)
            else:
                predicted = head.predict(fused)
                meter.update(predicted[labelled], target[labelled])
            ids = [record for record, is_known in zip(batch.record_ids, labelled.tolist(), strict=True) if is_known]
            self._seen[row][name].append((ids, predicted[labelled].cpu(), target[labelled].cpu()))

    def _meter(self, row: str, name: str, factory: MetricFactory) -> Metric | MetricCollection:
        """The running metric of a row, made when it is first fed."""
        meters = self._meters[row]
        if name not in meters:
            meters[name] = factory().to(self.device)
        return meters[name]

    def _finish_rows(self) -> None:
        self.predictions = self._seen
        self.results = {}
        for row, meters in self._meters.items():
            values = {name: meter.compute() for name, meter in meters.items()}
            flat = {name: value for name, value in values.items() if not isinstance(value, dict)}
            flat |= {
                f"{n}/{key}": part
                for n, value in values.items()
                if isinstance(value, dict)
                for key, part in value.items()
            }
            self.results[row] = {name: float(value) for name, value in flat.items()}
