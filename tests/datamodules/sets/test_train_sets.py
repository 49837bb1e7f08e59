"""Protects: every public set trains and is tested, from files on disk to metrics, by its name alone."""

import logging
import math

import numpy as np
import pytest
import pytorch_lightning as pl

from datamodules.inspect.public import public_sets
from fusion.training import run as train
from fusion.training.compose import compose_config
from tests.datamodules.labelled_sets import GROCERIES
from tests.datamodules.labelled_sets import WRITERS as LABELLED
from tests.datamodules.public_sets import WRITERS as COMPOSED
from tests.datamodules.tagged_sets import WRITERS as TAGGED

WRITERS = {**LABELLED, **COMPOSED, **TAGGED}
FOLDERS = {"lifesnaps": "lifesnaps_daily"}
SMALL = {
    "ucr": ["data.name=GunPoint", "data.cohort.root={root}/ucr"],
    "grocery_store": [
        f"data.targets.product.names=[{','.join(fine for fine, _ in GROCERIES)}]",
        "data.targets.product_group.names=[Apple,Lemon]",
    ],
    "stress_predict": ["data.cohort.is_against_rest=false", "modality=[eda,acc]"],  # heart rates cost ten seconds
}  # fmt: skip


@pytest.mark.parametrize("name", public_sets())
def test_every_set_trains_and_is_tested_by_its_name(name, tmp_path):
    folder = FOLDERS.get(name, name)
    WRITERS[folder](tmp_path / folder, np.random.default_rng(0))
    own = [text.format(root=tmp_path) for text in SMALL.get(name, [])]
    places = [f"paths.data_dir={tmp_path}", f"paths.cache_dir={tmp_path / 'cache'}"]
    cfg = compose_config([f"data={name}", "model=tiny", *own, *places])
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=1, limit_val_batches=1, limit_test_batches=2, num_sanity_val_steps=0, **quiet
    )
    trainer.fit(module, datamodule=data)
    module.row_names = [row.name for row in data.test_rows()]
    trainer.test(module, datamodule=data, verbose=False)
    results = module.results["as_recorded"]
    assert all(any(key.startswith(f"{head}/") for key in results) for head in data.cohort.targets)
    assert all(math.isfinite(value) for key, value in results.items() if key.endswith(("macro_f1", "rmse", "/f1")))
