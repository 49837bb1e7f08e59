"""What train.py runs: build, prepare, fit, test, report."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
import warnings
from functools import partial
from pathlib import Path

os.environ.setdefault("WANDB_SILENT", "true")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hydra
import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError
from pytorch_lightning.callbacks import LearningRateMonitor, WeightAveraging
from pytorch_lightning.loggers import Logger

from datamodules.base import HealthDataModule
from fusion.apps.exporter import export
from fusion.batch import Stream
from fusion.encoders.base import Encoder
from fusion.evidence.provenance import provenance
from fusion.evidence.results import set_latest
from fusion.evidence.write import write_report
from fusion.training.callbacks.resume import find_checkpoint
from fusion.training.compose import CONF
from fusion.training.config import TrainConfig
from fusion.training.execution import execute
from fusion.training.module import FusionModule
from fusion.training.ranks import check_ranks
from fusion.training.tracking import check_artifacts, continue_logs, finishing, log_artifacts, log_report
from fusion.weights import PRETRAINED

logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)  # advertisements
logging.getLogger("absl").setLevel(logging.WARNING)  # rouge-score names its tokenizer at every use
warnings.filterwarnings("ignore", message="Found .* in eval mode")  # frozen backbones are, by design
warnings.filterwarnings("ignore", message="You're resuming from a checkpoint")  # the data module's sampler resumes
warnings.filterwarnings("ignore", message="Experiment logs directory")  # tracking.py puts the rows back
warnings.filterwarnings("ignore", message="It is recommended to use .*sync_dist=True")  # measurements.py gathers
warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated")  # Lightning's own, under torch 2.11


@hydra.main(config_path=str(CONF), config_name="train", version_base="1.3")
def main(cfg: DictConfig) -> float:
    """Run one job; returns the monitored validation metric of the best checkpoint (what a sweep optimises)."""
    return run(cfg)


def run(cfg: DictConfig) -> float:
    """The job behind the command line: build, prepare, fit, test, report."""
    run_dir = Path(cfg.paths.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    check_artifacts(cfg.report.artifacts)
    checkpoint = find_checkpoint(cfg.resume, run_dir)
    if cfg.resume == "auto" and checkpoint is None:
        print(f"resume=auto: no checkpoint in {run_dir}, so from step 0; hydra.run.dir=DIR names a run's own directory")
    data, module = build(cfg)
    OmegaConf.save(cfg, run_dir / "config.yaml", resolve=True)
    prepare(cfg, data, module)
    (run_dir / "preprocessing.json").write_text(json.dumps(data.preparation.state()))  # what fusion.apps.export ships
    loggers = list(instantiate(cfg.logger).values())
    with finishing(loggers):
        return fit_and_report(cfg, data, module, loggers, checkpoint)


def fit_and_report(
    cfg: DictConfig, data: HealthDataModule, module: FusionModule, loggers: list[Logger], checkpoint: Path | None
) -> float:
    """Train, from ``checkpoint`` where one is given, test the best and write the report."""
    run_dir, about = Path(cfg.paths.run_dir), origin(data)
    if checkpoint is not None:
        print(f"resuming from {checkpoint}")
        continue_logs(loggers, checkpoint)
    for logger in loggers:
        logger.log_hyperparams({**OmegaConf.to_container(cfg, resolve=True), "run": about})
    callbacks = build_callbacks(cfg, has_log=bool(loggers))
    trainer: pl.Trainer = instantiate(cfg.trainer, callbacks=callbacks, logger=loggers)
    check_ranks(trainer, is_multirun=HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)  # a cold cache has drawn random numbers, a warm one none
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint)
    # Averaging would swap its last average in and validate that instead of the checkpoint (Lightning 2.6).
    trainer.callbacks = [one for one in trainer.callbacks if not isinstance(one, WeightAveraging)]

    val = report(cfg, data, module, trainer, checkpoint=trainer.checkpoint_callback.best_model_path, to=run_dir)
    if trainer.is_global_zero:
        if "export" in cfg.report.artifacts:
            shutil.rmtree(run_dir / "export", ignore_errors=True)  # of an earlier attempt
            export(run_dir, run_dir / "export")
        log_artifacts(loggers, run_dir, cfg.report.artifacts)
        set_latest(run_dir, Path(cfg.paths.output_dir))
    return val[cfg.monitor.metric]


def build_callbacks(cfg: DictConfig, *, has_log: bool) -> list[pl.Callback]:
    """What goes along with the training; ValueError names a setting of a callback that is not there."""
    callbacks = instantiate(cfg.callbacks)
    for name, callback in callbacks.items():
        if not isinstance(callback, pl.Callback):
            raise ValueError(
                f"callbacks.{name} is {callback}, expected a callback with a _target_; was the group that defines it "
                f"left out or replaced on the command line?"
            )
    return [one for one in callbacks.values() if has_log or not isinstance(one, LearningRateMonitor)]


def origin(data: HealthDataModule) -> dict[str, object]:
    """Where results come from: code, machine, packages and data."""
    return {**provenance(), "data": {"cohort": data.cohort.name, "fingerprint": data.cohort.fingerprint}}


def report(
    cfg: DictConfig, data: HealthDataModule, module: FusionModule, trainer: pl.Trainer, *, checkpoint: str, to: Path
) -> dict[str, float]:
    """Validate and test a checkpoint, write everything about it into ``to`` and give the validation metrics."""
    (val,) = trainer.validate(module, datamodule=data, ckpt_path=checkpoint, verbose=False)
    module.row_names = [row.name for row in data.test_rows()]
    begun_s = time.process_time()
    trainer.test(module, datamodule=data, ckpt_path=checkpoint, verbose=False)
    cost_ms = 1000 * (time.process_time() - begun_s) / sum(len(row.records) for row in data.test_rows())
    about = {**origin(data), "test_cpu_ms_per_record": cost_ms}
    if trainer.is_global_zero:
        heads = module.model.heads
        ceiling = data.cohort.ceiling()
        plans = write_report(
            to, module.results, module.predictions, asked={name: data.targets[h.target] for name, h in heads.items()},
            main=[name for name, head in heads.items() if not head.is_auxiliary], groups=data.groups, val=val,
            ceiling={name: ceiling[head.target] for name, head in heads.items() if head.target in ceiling},
            sources=data.sources("test"), inputs=data.descriptions("test"), about=about, checkpoint=checkpoint,
            num_plans=cfg.report.num_plans, num_bootstraps=cfg.report.num_bootstraps,
        )  # fmt: skip
        log_report(trainer.loggers, module.results, to / "plots", plans)
    return val


def build(cfg: DictConfig) -> tuple[HealthDataModule, FusionModule]:
    """Data and model as the config says; no data file is read yet. Sides that do not fit are a ValueError."""
    check_keys(cfg)
    check_sides(cfg)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    data = instantiate(cfg.data, _convert_="all")
    module = FusionModule(
        model=instantiate(cfg.model, _convert_="all"),
        objective=instantiate(cfg.objective, _convert_="all"),
        optim=instantiate(cfg.optim, _convert_="all"),
        generated_rows=list(cfg.report.generated_rows),
    )
    for name, encoder in module.model.encoders.items():
        encoder.check(torch.from_numpy(data.modalities[name].prepare.absent().values)[None])
    execute(module.model, **OmegaConf.to_container(cfg.execution))
    return data, module


def check_keys(cfg: DictConfig) -> None:
    """ValueError names a key that nothing reads: a + on the command line adds one to any group."""
    try:
        OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.to_container(cfg))
    except ConfigKeyError as error:
        raise ValueError(f"no key {error.full_key} is read by anything; see the files of conf/") from error


def check_sides(cfg: DictConfig) -> None:
    """ValueError names a modality that has no stream or no encoder: settings alone build nothing."""
    sides = {"data.modalities": cfg.data.modalities, "model.encoders": cfg.model.encoders}
    for name in {**cfg.data.modalities, **cfg.model.encoders}:
        given = " and ".join(f"{side}.{name}" for side, parts in sides.items() if name in parts)
        lacking = [f"{side}.{name}" for side, parts in sides.items() if "_target_" not in (parts.get(name) or {})]
        if lacking:
            raise ValueError(
                f"modality {name!r} is set in {given}, with no _target_ in {' and '.join(lacking)}; a file of "
                f"conf/modality writes both sides: choose it in modality=[...], or drop {given}"
            )


def prepare(cfg: DictConfig, data: HealthDataModule, module: FusionModule) -> None:
    """Read the data, cache the features of frozen encoders, weigh the classes and scale the numbers."""
    data.setup()
    if cfg.finetune.is_cached:
        device = torch.device("cuda" if cfg.trainer.accelerator == "gpu" else "cpu")
        for name, encoder in module.model.encoders.items():
            is_same_every_time = encoder.is_cacheable and encoder.backbone_identity["weights"] == PRETRAINED
            if is_same_every_time:
                features = partial(run_backbone, encoder, device)
                data.cache_features(name, encoder.backbone_identity, features)
    if cfg.class_weights not in ("none", "balanced"):
        raise ValueError(f"class_weights is {cfg.class_weights!r}, expected none or balanced")
    for head in module.model.heads.values():
        if cfg.class_weights == "balanced" and head.kind == "classes":
            head.balance(data.class_counts(head.target))
        if head.has_statistics:
            head.fit(torch.from_numpy(data.train_values(head.target)))


@torch.inference_mode()
def run_backbone(encoder: Encoder, device: torch.device, stream: Stream) -> Stream:
    """Features of one batch on ``device``."""
    return encoder.to(device).eval().features(Stream(*(part.to(device) for part in stream)))


if __name__ == "__main__":
    main()
