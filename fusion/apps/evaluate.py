"""Test a finished run again with the code of today: ``python -m fusion.evaluate run=outputs/latest [key=value ...]``.

Writes what a test writes into RUN/evaluated, beside the run's own files. Overrides change the resolved configuration,
e.g. ``report.generated_rows=[all]``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from fusion.apps.command_line import named_words, run_command
from fusion.apps.finished_run import CHECKPOINT, RUN_CONFIG, check_run

RESOLVED = ("size.", "paths.", "finetune.is_frozen", "finetune.num_")  # only other keys refer to them
ABSENT = object()


def evaluate(run_dir: Path, overrides: list[str]) -> dict[str, float]:
    """Test the best checkpoint of ``run_dir``; gives its validation metrics.

    ValueError where the folder is not a finished run.
    """
    check_run(run_dir, RUN_CONFIG, CHECKPOINT)
    from fusion.training import run as train  # Lightning takes seconds

    cfg = change(OmegaConf.load(run_dir / RUN_CONFIG), overrides)
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    trainer = instantiate(cfg.trainer, logger=False)
    to = run_dir / "evaluated"
    to.mkdir(exist_ok=True)
    OmegaConf.save(cfg, to / RUN_CONFIG)
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


def command_line() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m fusion.evaluate",
        usage="%(prog)s [-h] run=DIR [key=value ...]",
        description="Test the best checkpoint of a run again and write what a test writes into DIR/evaluated.",
    )
    parser.add_argument(
        "words", nargs="*", metavar="run=DIR key=value",
        help="a run directory that train.py wrote, and other values for keys of its config.yaml",
    )  # fmt: skip
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command(_evaluate, command_line().parse_args(arguments))


def _evaluate(options: argparse.Namespace) -> int:
    given, overrides = named_words(options.words, ("run",), command_line())
    evaluate(Path(given["run"]), overrides)
    return 0


if __name__ == "__main__":
    sys.exit(main())
