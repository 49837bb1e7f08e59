"""Write a trained model into one folder without pickles, which ``fusion.load`` opens.

model.safetensors: all weights. config.json: how to build the model and its preprocessing, and where it came from.
preprocessing.json: statistics of the train split. <modality>_tokenizer/: the word pieces of a text modality.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file
from transformers import BertModel

import fusion
from datamodules.transforms.base import Prepare
from datamodules.transforms.text import PrepareText
from fusion.apps.finished_run import CHECKPOINT, RUN_CONFIG, check_run
from fusion.apps.loaded import CONFIG, FORMAT, PREPROCESSING, WEIGHTS, plan_vocabulary
from fusion.construct import construct
from fusion.encoders.base import Encoder
from fusion.encoders.bert_text import BertTextEncoder
from fusion.encoders.timm_image import TimmImageEncoder
from fusion.evidence.provenance import provenance
from fusion.weights import PRETRAINED, RANDOM


def export(run_dir: Path, to: Path) -> None:
    """Write the best checkpoint of ``run_dir`` to ``to``, which appears whole, loaded once, or not at all.

    ValueError where a file of the run is missing, where ``to`` exists, or where an encoder could not be rebuilt
    without its pretrained files.
    """
    if to.exists():
        raise ValueError(f"{to} exists; remove it or choose another to=")
    check_run(run_dir, RUN_CONFIG, PREPROCESSING, CHECKPOINT)
    cfg = yaml.safe_load((run_dir / RUN_CONFIG).read_text(encoding="utf-8"))
    model = construct(cfg["model"])
    checkpoint = torch.load(run_dir / CHECKPOINT, weights_only=True, map_location="cpu", mmap=True)["state_dict"]
    model.load_state_dict({key.removeprefix("model."): value for key, value in checkpoint.items()})

    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{to.name}.", dir=to.parent) as around:
        building = Path(around) / to.name
        building.mkdir()
        encoders = {name: _standalone(name, cfg["model"]["encoders"][name], e) for name, e in model.encoders.items()}
        config = {
            "format": FORMAT,
            "model": {**cfg["model"], "encoders": encoders},
            "modalities": {
                name: {key: node[key] for key in ("source", "group")} | {"prepare": _prepare(building, name, node)}
                for name, node in cfg["data"]["modalities"].items()
            },
            "targets": cfg["data"]["targets"],
            "plan_vocabulary": plan_vocabulary(),
            "trained": _about_training(run_dir),
            "exported": {key: value for key, value in provenance().items() if key != "command"},
        }
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, building / WEIGHTS)
        (building / CONFIG).write_text(json.dumps(config, indent=1))
        shutil.copyfile(run_dir / PREPROCESSING, building / PREPROCESSING)
        fusion.load(building)
        os.rename(building, to)


def _standalone(name: str, node: dict, encoder: Encoder) -> dict:
    """The configuration that builds ``encoder`` without its pretrained files, for weights that come later."""
    if isinstance(encoder, BertTextEncoder):
        if not isinstance(encoder.backbone, BertModel):
            kind = type(encoder.backbone).__name__
            raise ValueError(f"encoder {name!r} is a {kind}; only a BertModel can be rebuilt from its sizes")
        return {**node, "weights": RANDOM, "config": encoder.backbone.config.to_diff_dict()}
    if isinstance(encoder, TimmImageEncoder):
        return {**node, "weights": RANDOM, "name": encoder.backbone.pretrained_cfg["architecture"]}
    if node.get("weights") == PRETRAINED:
        raise ValueError(
            f"encoder {name!r} needs pretrained files; teach fusion/apps/exporter.py to rebuild {node['_target_']}"
        )
    return node


def _prepare(building: Path, name: str, node: dict) -> dict:
    """The configuration of a Prepare; a tokenizer moves into the folder."""
    prepare: Prepare = construct(node["prepare"])
    if not isinstance(prepare, PrepareText):
        return node["prepare"]
    prepare.tokenizer.save_pretrained(building / f"{name}_tokenizer")
    return {**node["prepare"], "weights": f"{name}_tokenizer"}


def _about_training(run_dir: Path) -> dict | None:
    """Commit, versions and data of the training; None where the run did not get as far as its report."""
    metrics = run_dir / "metrics.json"
    return json.loads(metrics.read_text())["run"] if metrics.is_file() else None
