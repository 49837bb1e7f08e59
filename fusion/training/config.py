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

    ``artifacts``: of fusion.training.tracking.ARTIFACTS; "export" also writes the model as fusion.apps.export does.
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
class Paths:
    """Where things are read and written; conf/paths/default.yaml."""

    data_dir: str | None = None
    cache_dir: str = MISSING
    output_dir: str = MISSING
    run_dir: str = MISSING


@dataclass
class Finetune:
    """What of the pretrained backbones trains; conf/finetune."""

    is_frozen: bool = MISSING
    is_cached: bool = MISSING
    num_trainable_layers: int = MISSING


@dataclass
class TextSize:
    """The text encoder: weights by name or directory, tokens read, and layers read (None: all)."""

    name: str = MISSING
    weights: str = MISSING
    max_tokens: int = MISSING
    rows_at_once: int | None = None
    num_layers: int | None = None
    config: dict[str, Any] | None = None


@dataclass
class PhotoSize:
    """The photo encoder."""

    name: str = MISSING
    weights: str = MISSING
    image_size: int = MISSING


@dataclass
class CNNSize:
    """Channels and residual blocks of a signal's or a sound's network."""

    width: int = MISSING
    num_blocks: int = MISSING


@dataclass
class FusionSize:
    """Learned queries (``num_own`` of them read one modality each), layers, heads."""

    num_queries: int = MISSING
    num_own: int = MISSING
    num_layers: int = MISSING
    num_heads: int = MISSING


@dataclass
class PlanSize:
    """The decoder of plans, and how sure a head must be of what a plan cites from it."""

    width: int = MISSING
    num_layers: int = MISSING
    num_heads: int = MISSING
    least_belief: float = MISSING


@dataclass
class Size:
    """How large and how regular the model is; conf/model, read by conf/stream, encoder, fusion and head."""

    dim: int = MISSING
    dropout: float = MISSING
    feature_dropout: float = MISSING
    text: TextSize = field(default_factory=TextSize)
    photo: PhotoSize = field(default_factory=PhotoSize)
    signal: CNNSize = field(default_factory=CNNSize)
    audio: CNNSize = field(default_factory=CNNSize)
    fusion: FusionSize = field(default_factory=FusionSize)
    plan: PlanSize = field(default_factory=PlanSize)


@dataclass
class Execution:
    """How modules run (execution.py): names such as fusion.layers, * for one part between dots; none by default."""

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
    paths: Paths = field(default_factory=Paths)
    size: Size = field(default_factory=Size)
    data: Any = MISSING
    model: Any = MISSING
    objective: Any = MISSING
    optim: Any = MISSING
    finetune: Finetune = field(default_factory=Finetune)
    trainer: Any = MISSING
    callbacks: dict[str, Any] = field(default_factory=dict)
    logger: dict[str, Any] = field(default_factory=dict)
    monitor: Monitor = field(default_factory=Monitor)
    report: Report = field(default_factory=Report)
    execution: Execution = field(default_factory=Execution)
