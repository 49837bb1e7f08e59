"""The directory of a finished train.py run, as evaluate and export read it."""

from __future__ import annotations

from pathlib import Path

RUN_CONFIG, CHECKPOINT = Path("config.yaml"), Path("checkpoints") / "best.ckpt"


def check_run(run_dir: Path, *needed: Path | str) -> None:
    """ValueError names the first of the files ``needed`` that ``run_dir`` has not."""
    for name in needed:
        if not (run_dir / name).is_file():
            raise ValueError(f"no {name} in {run_dir}; expected the directory of a finished train.py run as run=")
