"""The public sets by name: what conf/data says of each, and its cohort built from that, without Hydra."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import yaml

CONF = Path(__file__).parent.parent.parent / "conf" / "data"
BASE = "public"  # what every public set's yaml begins with
TABLES = ("mealrec_plus", "free_exercise_db")  # knowledge that no training run reads
INTERPOLATION = re.compile(r"\$\{([^${}]+)\}")


def public_sets() -> list[str]:
    """Names that ``data=NAME`` takes and that are public sets of one yaml each, in order."""
    return [path.stem for path in sorted(CONF.glob("*.yaml")) if BASE in _parents(_read(path.stem))]


def read_config(name: str) -> dict:
    """conf/data/``name``.yaml over what it builds on; ValueError where there is no such public set."""
    if not (CONF / f"{name}.yaml").is_file() or BASE not in (family := _family(name)):
        raise ValueError(f"no public set {name!r}, expected one of {[*public_sets(), *TABLES]}")
    config: dict = {}
    for member in family:
        config = merged(config, _read(member))
    return config


def build_cohort(config: dict, data_dir: Path) -> object:
    """The cohort that ``config`` describes."""
    module, _, kind = config["data"]["cohort"]["_target_"].rpartition(".")
    settings = {key: resolved(value, config) for key, value in config["data"]["cohort"].items() if key != "_target_"}
    return getattr(import_module(module), kind)(**settings | {"data_dir": data_dir})


def read_table(name: str, data_dir: Path) -> dict[str, int]:
    """What a table of TABLES holds: name of a part -> number of rows."""
    reader = getattr(import_module(f"datamodules.sets.{name}"), f"read_{name}")
    if name == "free_exercise_db":
        return {"exercises": len(reader(data_dir))}
    parts = {density: reader(data_dir, density) for density in ("H", "L")}
    return {
        f"{density} {field}": len(rows) for density, part in parts.items() for field, rows in part._asdict().items()
    }


def merged(base: dict, over: dict) -> dict:
    """``over`` laid over ``base``, mapping by mapping."""
    both = dict(base)
    for key, value in over.items():
        is_mapping = isinstance(value, dict) and isinstance(base.get(key), dict)
        both[key] = merged(base[key], value) if is_mapping else value
    return both


def resolved(value: object, config: dict) -> object:
    """``value`` with ``${a.b}`` looked up in ``config``, innermost first; what is not of the data stays as it is."""
    while isinstance(value, str) and (found := INTERPOLATION.search(value)):
        if not found[1].startswith("data."):
            break
        answer: object = config
        for key in found[1].split("."):
            answer = answer[key]
        value = answer if found[0] == value else value.replace(found[0], str(answer))
    return value


def _family(name: str) -> list[str]:
    """The yaml and those it builds on, eldest first."""
    return [*(elder for parent in _parents(_read(name)) for elder in _family(parent)), name]


def _parents(config: dict) -> list[str]:
    return [entry for entry in config.get("defaults") or [] if isinstance(entry, str) and entry != "_self_"]


def _read(name: str) -> dict:
    return yaml.safe_load((CONF / f"{name}.yaml").read_text())
