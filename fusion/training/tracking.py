"""Keep every run's log one log: through resumes, sweeps and failures."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from pytorch_lightning.loggers import CSVLogger, Logger, WandbLogger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from fusion.evidence.plans import COLUMNS

ARTIFACTS = {  # kind: what of a run directory it holds
    "report": ("config.yaml", "preprocessing.json", "metrics.json", "predictions.npz", "plans.md", "plots/*"),
    "checkpoint": ("checkpoints/best.ckpt",),
    "export": ("export/**/*",),
}


def wandb_logger(*, run_dir: str, project: str, name: str, offline: bool, log_model: bool) -> WandbLogger:
    """A W&B run that belongs to ``run_dir``: a resumed run has the same id, the jobs of a sweep the same group."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # otherwise importing wandb looks up a host, offline too
    folder = Path(run_dir).resolve()
    in_sweep = (folder.parent / "multirun.yaml").is_file()  # hydra writes it beside the jobs' directories
    return WandbLogger(
        project=project,
        name=f"{name}-{folder.name}" if in_sweep else name,
        save_dir=run_dir,
        offline=offline,
        log_model=log_model,
        id=hashlib.sha256(str(folder).encode()).hexdigest()[:12],
        group=folder.parent.name if in_sweep else None,
    )


def check_artifacts(kinds: Sequence[str]) -> None:
    """ValueError names a kind that there is not; before the training, not after it."""
    unknown = [kind for kind in kinds if kind not in ARTIFACTS]
    if unknown:
        raise ValueError(f"report.artifacts names {unknown[0]!r}, expected some of {', '.join(ARTIFACTS)}")


@rank_zero_only
def log_artifacts(loggers: list[Logger], run_dir: Path, kinds: Sequence[str]) -> None:
    """Hand W&B files of a finished run, one artifact a kind: <kind>-<run id>. Offline they stay where they are."""
    for logger in loggers:
        for kind in kinds if isinstance(logger, WandbLogger) else ():
            from wandb import Artifact  # not imported before somebody logs to W&B

            artifact = Artifact(f"{kind}-{logger.experiment.id}", type=kind)
            for path in sorted(path for pattern in ARTIFACTS[kind] for path in run_dir.glob(pattern) if path.is_file()):
                artifact.add_file(
                    str(path), name=path.relative_to(run_dir).as_posix(), policy="immutable", skip_cache=True
                )
            logger.experiment.log_artifact(artifact)


@rank_zero_only
def log_report(
    loggers: list[Logger], results: dict[str, dict[str, float]], plots: Path, plans: list[list[str]]
) -> None:
    """Hand a test's numbers to every logger, and to W&B its pictures and sample plans."""
    for logger in loggers:
        logger.log_metrics({f"test/{row}/{name}": v for row, values in results.items() for name, v in values.items()})
        if isinstance(logger, WandbLogger):
            for picture in sorted(plots.glob("*.png")):
                logger.log_image(f"plots/{picture.stem}", [str(picture)])
            if plans:
                logger.log_text("plans", columns=COLUMNS, data=plans)


@rank_zero_only
def continue_logs(loggers: list[Logger], checkpoint: Path) -> None:
    """Let logs go on where ``checkpoint`` was. W&B and TensorBoard append by step anyway, csv files need help."""
    step = torch.load(checkpoint, map_location="cpu", mmap=True, weights_only=True)["global_step"]
    for logger in loggers:
        if isinstance(logger, CSVLogger):
            continue_csv(logger, step)


def continue_csv(logger: CSVLogger, step: int) -> None:
    """Put back the rows before ``step`` that an earlier attempt logged; Lightning starts every csv file anew."""
    path = Path(logger.log_dir) / "metrics.csv"
    kept = path.with_name("metrics.before_resume.csv")
    if path.is_file():
        shutil.copyfile(path, kept)
    if not kept.is_file():
        return
    with open(kept, newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["step"]) < step]
    for row in rows:
        logger.experiment.log_metrics(
            {name: value for name, value in row.items() if value and name != "step"}, int(row["step"])
        )
    logger.save()


@contextmanager
def finishing(loggers: list[Logger]) -> Iterator[None]:
    """End the runs of ``loggers`` with the job: the next job of a sweep is a run of its own, a failed one is failed."""
    is_failed = True
    try:
        yield
        is_failed = False
    finally:
        for logger in loggers:
            logger.finalize("failed" if is_failed else "success")
            if isinstance(logger, WandbLogger):
                logger.experiment.finish(exit_code=int(is_failed))
