"""Find conf/ and compose a run's configuration from it, in a checkout or installed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from fusion.training.config import TrainConfig
from fusion.training.resolvers import register

PACKAGE = Path(__file__).resolve().parent.parent
# The wheel installs conf/ as fusion/conf (pyproject.toml); a checkout has it beside the packages.
CONF = next(path for path in (PACKAGE / "conf", PACKAGE.parent / "conf") if (path / "train.yaml").is_file())

ConfigStore.instance().store(name="schema", node=TrainConfig)
register()


def compose_config(overrides: Iterable[str], *, name: str = "train") -> DictConfig:
    """conf/``name``.yaml with train.py's ``overrides``, outside of a run: there ``paths.run_dir`` is "unused"."""
    given = list(overrides)
    if not any(override.startswith("paths.run_dir=") for override in given):
        given.append("paths.run_dir=unused")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(name, overrides=given)
