"""The public sets by name: what conf/ says of each, composed as train.py does it, and the cohort built from that."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import yaml
from hydra.utils import instantiate
from omegaconf import DictConfig

from datamodules.cohort import Cohort
from fusion.training.compose import CONF, compose_config

BASE = "public"  # what the yaml of every public set begins with
SETS = "datamodules.sets."  # where their cohorts lie
TABLES = ("mealrec_plus", "free_exercise_db")  # knowledge that no training run reads


def public_sets() -> list[str]:
    """Names that ``data=NAME`` takes and that are public sets of one yaml each, in order."""
    defaults = {path.stem: yaml.safe_load(path.read_text()).get("defaults") for path in (CONF / "data").glob("*.yaml")}
    return sorted(name for name, begun in defaults.items() if BASE in (begun or []))


def read_config(name: str, overrides: Iterable[str] = ()) -> DictConfig:
    """train.py's configuration with data=``name`` and ``overrides``; ValueError where there is no such public set."""
    is_there = (CONF / "data" / f"{name}.yaml").is_file()
    if not is_there or not compose_config([f"data={name}"]).data.cohort.get("_target_", "").startswith(SETS):
        raise ValueError(f"no public set {name!r}, expected one of {[*public_sets(), *TABLES]}")
    return compose_config([f"data={name}", *overrides])


def build_cohort(cfg: DictConfig, data_dir: Path) -> Cohort:
    """The cohort that ``cfg`` describes, of the files under ``data_dir``."""
    return instantiate(cfg.data.cohort, data_dir=data_dir, _convert_="all")


def read_table(name: str, data_dir: Path) -> dict[str, int]:
    """What a table of TABLES holds: name of a part -> number of rows."""
    reader = getattr(import_module(f"{SETS}{name}"), f"read_{name}")
    if name == "free_exercise_db":
        return {"exercises": len(reader(data_dir))}
    parts = {density: reader(data_dir, density) for density in ("H", "L")}
    return {
        f"{density} {field}": len(rows) for density, part in parts.items() for field, rows in part._asdict().items()
    }
