"""Every public set: a simple default of ours beside trivial and humble baselines, on the same test people.

    python -m benchmarks.public_sets --data-dir DIR [--sets dreaddit emodb] [--epochs N] [--overrides KEY=VALUE ...]

Adds what it measures to --json, set by set, and rewrites --markdown from it. Without --epochs as many as the set's yaml
says; --epochs 0 measures the baselines only.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import pytorch_lightning as pl
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.callbacks import ModelCheckpoint

from benchmarks.public_baselines import Scores, class_scores, number_scores
from benchmarks.public_features import features
from benchmarks.public_table import OURS, SETS, compact, markdown, replace_block
from benchmarks.public_tags import tag_scores
from benchmarks.public_words import said
from fusion.training import run as train
from fusion.training.compose import compose_config


def measure(name: str, data_dir: Path, cache_dir: Path, seed: int, epochs: int | None, overrides: list[str]) -> dict:
    """{"heads": {head or head/target: method -> metric -> value}, "about": settings} of one set."""
    with tempfile.TemporaryDirectory() as run_dir:
        places = [f"paths.data_dir={data_dir}", f"paths.cache_dir={cache_dir}", f"paths.run_dir={run_dir}"]
        given = [f"data={name}", f"seed={seed}", "logger=csv", *overrides]
        given += [f"trainer.max_epochs={epochs}"] if epochs else []
        cfg = compose_config([*given, *places])
        began_s = time.process_time()
        data, module = train.build(cfg)
        train.prepare(cfg, data, module)
        heads: dict[str, Scores] = {}
        tagged = [name for name, target in data.cohort.targets.items() if target.kind == "spans"]
        x = {} if tagged else {part: features(data, records) for part, records in data.splits.items()}
        texts = {part: said(records) for part, records in data.splits.items()}
        texts = texts if any(texts["train"]) else {}
        for name, target in data.cohort.targets.items():
            if target.kind == "spans":
                heads[name] = tag_scores(data.splits, name)
            elif target.kind == "numbers":
                for place, number in enumerate(target.names):
                    heads[f"{name}/{number}"] = number_scores(data.cohort, data.splits, x, texts, name, place, seed)
            else:
                heads[name] = class_scores(data.cohort, data.splits, x, texts, name, seed)
        if epochs != 0:
            add_ours(heads, fit_and_test(cfg, data, module))
    sizes = {part: len({r.person_id for r in own}) for part, own in data.splits.items()}
    trained = 0 if epochs == 0 else cfg.trainer.max_epochs
    about = {"command": given, "epochs": trained, data.cohort.unit: sizes, "num_test": len(data.splits["test"])}
    return {"heads": heads, "about": {**about, "cpu_s": round(time.process_time() - began_s)}}


def fit_and_test(cfg: DictConfig, data: pl.LightningDataModule, module: pl.LightningModule) -> dict[str, float]:
    """The test metrics of all records as they came, at the best validation checkpoint."""
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    best = ModelCheckpoint(cfg.paths.run_dir, monitor=cfg.monitor.metric, mode=cfg.monitor.mode)
    trainer = instantiate(cfg.trainer, callbacks=[best], logger=False, enable_progress_bar=False)
    trainer.fit(module, datamodule=data)
    module.row_names = [row.name for row in data.test_rows()]
    trainer.test(module, datamodule=data, ckpt_path=best.best_model_path, verbose=False)
    return module.results["as_recorded"]


def add_ours(heads: dict[str, Scores], results: dict[str, float]) -> None:
    """Put the model's own figures beside the baselines'."""
    for key, scores in heads.items():
        head, _, target = key.partition("/")
        is_only = sum(other.startswith(f"{head}/") for other in heads) == 1
        names = {"rmse": "rmse" if is_only else f"{target}_rmse"} if target else {}
        metrics = next(iter(scores.values()))
        scores[OURS] = {metric: results[f"{head}/{names.get(metric, metric)}"] for metric in metrics}


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.public_sets", description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overrides", nargs="*", default=[])
    parser.add_argument("--cache-dir", type=Path, default=Path(".cache"))
    parser.add_argument("--json", type=Path, default=Path("docs/public_sets.json"))
    parser.add_argument("--markdown", type=Path, default=Path("docs/public_sets.md"))
    parser.add_argument("--readme", type=Path, help="a page whose short table is rewritten, too")
    given = parser.parse_args(arguments)
    for name in given.sets:
        results = json.loads(given.json.read_text()) if given.json.is_file() else {}
        results[name] = measure(name, given.data_dir, given.cache_dir, given.seed, given.epochs, given.overrides)
        ordered = {key: results[key] for key in SETS if key in results}
        given.json.write_text(json.dumps(ordered, indent=1) + "\n")
        given.markdown.write_text(markdown(ordered))
        if given.readme:
            given.readme.write_text(replace_block(given.readme.read_text(), compact(ordered)))
        print(f"{name}: {json.dumps(results[name]['heads'])}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
