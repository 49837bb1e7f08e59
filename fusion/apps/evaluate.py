"""Test a finished run again with the code of today: ``python -m fusion.evaluate run=outputs/latest [key=value ...]``.

Writes what a test writes into RUN/evaluated, beside the run's own files. Overrides change the resolved configuration,
e.g. ``report.generated_rows=[all]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from fusion.training import run as train

CHECKPOINT = Path("checkpoints") / "best.ckpt"
RESOLVED = ("size.", "paths.", "finetune.is_frozen", "finetune.num_")  # only other keys refer to them
ABSENT = object()


def evaluate(run_dir: Path, overrides: list[str]) -> dict[str, float]:
    """Test the best checkpoint of ``run_dir``; gives its validation metrics.

    ValueError where the folder is not a finished run.
    """
    for needed in ("config.yaml", CHECKPOINT):
        if not (run_dir / needed).is_file():
            raise ValueError(f"no {needed} in {run_dir}; expected run=<a run directory that train.py wrote>")
    cfg = change(OmegaConf.load(run_dir / "config.yaml"), overrides)
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    trainer = instantiate(cfg.trainer, logger=False)
    to = run_dir / "evaluated"
    to.mkdir(exist_ok=True)
    OmegaConf.save(cfg, to / "config.yaml")
    return train.report(cfg, data, module, trainer, checkpoint=str(run_dir / CHECKPOINT), to=to)


def change(cfg: DictConfig, overrides: list[str]) -> DictConfig:
    """The configuration of a run with other values; ValueError for a key that it has not, or that nothing reads."""
    for override in overrides:
        key = override.partition("=")[0]
        if key.startswith(RESOLVED):
            raise ValueError(
                f"{key} has been written into the keys that use it, e.g. size.plan.least_belief into "
                f"model.heads.plan.least_belief; change those, they are in the run's config.yaml"
            )
        if OmegaConf.select(cfg, key, default=ABSENT) is ABSENT:
            raise ValueError(f"this run's config.yaml has no key {key}")
    return OmegaConf.merge(cfg, OmegaConf.from_dotlist(overrides))


def main(arguments: list[str]) -> None:
    """Read run=... and overrides; an error people can mend is one line."""
    runs = [a.removeprefix("run=") for a in arguments if a.startswith("run=")]
    if len(runs) != 1:
        sys.exit("usage: python -m fusion.evaluate run=<run directory> [key=value ...]")
    try:
        evaluate(Path(runs[0]), [a for a in arguments if not a.startswith("run=")])
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
