"""A tiny run, as train.py leaves it, and the folder exported from it."""

import json
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf

import fusion
from fusion.apps.exporter import export
from fusion.training import run as train
from fusion.training.compose import compose_config


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """(run directory, data module, module) as train.py and Lightning save them; the weights are not fitted."""
    return leave_run(
        tmp_path_factory.mktemp("run"),
        "experiment=fusion_tiny", "data.cohort.num_people=10", "data.cohort.missing_rate=0", "finetune=full",
        "head=[caused_state,latents,plan,diet_tags]", "data.cohort.window_s=30",
    )  # fmt: skip


def leave_run(folder: Path, *overrides: str):
    """What ``run`` is, of any configuration."""
    folder.mkdir(exist_ok=True)
    places = [f"paths.run_dir={folder}", f"paths.cache_dir={folder}/cache"]
    cfg = compose_config([*overrides, *places])
    OmegaConf.save(cfg, folder / "config.yaml", resolve=True)
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    with torch.no_grad():  # an untrained BatchNorm cannot tell a lost buffer
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.uniform_(-0.1, 0.1)
    (folder / "preprocessing.json").write_text(json.dumps(data.preparation.state()))
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_model_summary=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(folder / "checkpoints" / "best.ckpt")
    return folder, data, module.eval()


@pytest.fixture(scope="session")
def exported(run, tmp_path_factory):
    """The exported folder."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    export(run[0], folder)
    return folder


@pytest.fixture(scope="session")
def loaded(exported):
    """The exported folder, opened."""
    return fusion.load(exported)
