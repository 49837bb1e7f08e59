"""The top level of a run's configuration: a misspelt key here is an error, deeper ones fail when they are built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MISSING = "???"  # omegaconf's mark for a value that must be given


@dataclass
class Monitor:
    """What decides the best checkpoint and early stopping: a validation metric, "max" or "min", epochs of patience."""

    metric: str = "val/total/loss"
    mode: str = "min"
    patience: int = 6


@dataclass
class Report:
    """What a test writes: rows of the results table whose plans are generated, sample plans shown, and what W&B gets.

    ``artifacts``: of fusion.tracking.ARTIFACTS; "export" also writes the model as fusion.export does.
    """

    generated_rows: list[str] = field(
        default_factory=lambda: [
            "as_recorded",
            "all",
            "text",
            "signals",
            "photo",
            "audio",
            "signals+photo+audio",
            "text+photo+audio",
            "text+signals+audio",
            "text+signals+photo",
        ]  # the last four for the deletion test
    )
    num_plans: int = 8
    num_bootstraps: int = 1000
    artifacts: list[str] = field(default_factory=lambda: ["report", "checkpoint"])


@dataclass
class Execution:
    """How modules run (fusion.execution): names such as fusion.layers, * for any characters; none by default."""

    recomputed: list[str] = field(default_factory=list)
    compiled: list[str] = field(default_factory=list)
    compile: dict[str, Any] = field(default_factory=lambda: {"backend": "inductor", "dynamic": True})


@dataclass
class TrainConfig:
    """Everything ``train.py`` reads. The dictionaries are built by hydra's ``instantiate``."""

    name: str = "fusion_small"
    seed: int = 0
    resume: str = "never"  # "auto": from the last checkpoint in paths.run_dir if any; or a checkpoint or run directory
    class_weights: str = "none"  # or "balanced": inverse train frequency in every classification loss
    paths: dict[str, Any] = field(default_factory=dict)
    size: dict[str, Any] = field(default_factory=dict)
    data: Any = MISSING
    model: Any = MISSING
    objective: Any = MISSING
    metrics: dict[str, Any] = field(default_factory=dict)
    optim: Any = MISSING
    finetune: dict[str, Any] = field(default_factory=dict)
    trainer: Any = MISSING
    callbacks: dict[str, Any] = field(default_factory=dict)
    logger: dict[str, Any] = field(default_factory=dict)
    monitor: Monitor = field(default_factory=Monitor)
    report: Report = field(default_factory=Report)
    execution: Execution = field(default_factory=Execution)
