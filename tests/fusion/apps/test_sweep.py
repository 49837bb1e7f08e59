"""A search survives its trials: it names the bad ones, ranks the good ones and goes on where it was."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from fusion.apps.sweep import objectives
from fusion.training.compose import CONF, compose_config

ROOT = CONF.parent
SEARCHES = CONF / "hparams_search"
# What sweep.py knows of a training: a command that takes overrides and leaves metrics.csv and metrics.json behind.
TRAINING = """
import json, os, pathlib, signal, sys, time
given = dict(argument.split("=", 1) for argument in sys.argv[1:])
folder, kind, lr = pathlib.Path(given["paths.run_dir"]), given["kind"], float(given["optim.lr"])
if kind == "crash":
    raise KeyError("no such column")
if kind == "diverge":
    raise FloatingPointError("loss is nan at step 12; lower optim.lr")
if kind == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "silent":
    sys.exit()
if kind == "nan":
    lr = float("nan")
(folder / "csv").mkdir()
with open(folder / "csv" / "metrics.csv", "w") as file:
    file.write("step,val/f1\\n")
    for epoch in range(3):
        file.write(f"{epoch},{lr}\\n")
        file.flush()
        time.sleep(float(given["pause_s"]))
scores = {"health_state/macro_f1": lr}
(folder / "metrics.json").write_text(json.dumps({"val": {"as_recorded": scores}, "run": {"wall_s": 1 / lr}}))
"""
F1 = "val/as_recorded/health_state/macro_f1"


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("script") / "training.py"
    path.write_text(TRAINING)
    return path


def command(folder: Path, script: Path, **changes: object) -> list[str]:
    """The search of the default file with ``changes``, in a file of its own."""
    settings = yaml.safe_load((SEARCHES / "fusion_small.yaml").read_text())
    folder.mkdir(exist_ok=True)
    settings |= {"folder": str(folder), "script": str(script), "overrides": ["pause_s=0"], "prune_by": None}
    settings |= {"objectives": {F1: "maximize"}, **changes}
    (folder / "search.yaml").write_text(yaml.safe_dump(settings))
    return [sys.executable, "-m", "fusion.sweep", "--config-path", str(folder), "--config-name", "search"]


def search(*arguments: Path, **changes: object) -> str:
    environment = {**os.environ, "COLUMNS": "300"}
    done = subprocess.run(
        command(*arguments, **changes), cwd=ROOT, capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def points(*kinds: str, lrs: list[float]) -> dict[str, object]:
    """Every pair once, in this order."""
    pairs = [{"kind": kind, "optim.lr": lr} for kind in kinds for lr in lrs]
    return {"space": {"kind": list(kinds), "optim.lr": lrs}, "enqueue": pairs, "num_trials": len(pairs)}


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "table.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_bad_trials_are_named_with_their_logs_and_good_ones_ranked(tmp_path, script):
    kinds = ("good", "crash", "diverge", "kill", "silent", "nan")
    said = search(tmp_path, script, **points(*kinds, lrs=[0.2, 0.7]), num_workers=2)
    rows = table(tmp_path)
    assert [row["outcome"] for row in rows[:2]] == ["finished"] * 2
    assert [float(row[F1]) for row in rows[:2]] == [0.7, 0.2]
    bad = sorted(row["outcome"] for row in rows[2:])
    assert bad == ["crashed (exit 1)"] * 2 + ["diverged"] * 4 + ["killed by SIGKILL"] * 2 + ["left no metrics.json"] * 2
    for row in rows[2:]:
        assert f"trial {row['trial']} {row['outcome']}: {row['log']}" in said and Path(row["log"]).is_file()
    assert "no such column" in next(Path(r["log"]).read_text() for r in rows if r["outcome"].startswith("crashed"))
    best = re.search(r"the best again: (python .*training.py pause_s=0 kind=good optim.lr=0.7)", said)[1]
    (tmp_path / "again").mkdir()
    again = [sys.executable, *best.split()[1:], f"paths.run_dir={tmp_path / 'again'}"]
    subprocess.run(again, cwd=ROOT, check=True, timeout=60)
    assert objectives(tmp_path / "again" / "metrics.json", [F1]) == [0.7]
    assert (tmp_path / "plots" / "history.png").stat().st_size > 5000


def test_a_killed_search_goes_on_and_repeats_what_was_running(tmp_path, script):
    space = {"kind": ["good"], "optim.lr": {"low": 0.1, "high": 0.9}}
    slow = command(tmp_path, script, space=space, num_trials=3, overrides=["pause_s=2"])
    first = subprocess.Popen(slow, cwd=ROOT, start_new_session=True)
    while not (tmp_path / "0" / "csv" / "metrics.csv").is_file():
        assert first.poll() is None
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    search(tmp_path, script, space=space, num_trials=3)
    rows = table(tmp_path)
    assert len({row["optim.lr"] for row in rows if row["outcome"] == "finished"}) == 3  # not the seed's first again
    assert sorted(row["outcome"] for row in rows) == ["finished"] * 3 + ["interrupted"]
    interrupted = next(row for row in rows if row["outcome"] == "interrupted")
    assert interrupted["optim.lr"] in {row["optim.lr"] for row in rows if row["outcome"] == "finished"}


def test_a_bad_trial_is_pruned_and_its_process_ended(tmp_path, script):
    pruner = {"_target_": "optuna.pruners.ThresholdPruner", "lower": 0.5}
    two = points("good", lrs=[0.2, 0.7])
    search(tmp_path, script, **two, pruner=pruner, prune_by="val/f1", overrides=["pause_s=2"])
    assert [(row["outcome"], row["optim.lr"]) for row in table(tmp_path)] == [("finished", "0.7"), ("pruned", "0.2")]
    pruned = next(row for row in table(tmp_path) if row["outcome"] == "pruned")
    assert not (Path(pruned["log"]).parent / "metrics.json").exists()


def test_two_objectives_give_a_front(tmp_path, script):
    both = {F1: "maximize", "run/wall_s": "maximize"}
    search(tmp_path, script, **points("good", lrs=[0.2, 0.5, 0.7]), objectives=both)
    assert {row["outcome"] for row in table(tmp_path)} == {"finished"} and (tmp_path / "plots" / "front.png").is_file()


def test_a_trial_is_a_training(tmp_path):
    """Not a stand-in: train.py itself, its metrics.json and the column of metrics.csv that pruning reads."""
    tiny = [
        "experiment=fusion_tiny", "debug=fast", "data.cohort.num_people=24", "data.cohort.window_s=20",
        "modality=[heart_rate]", "head=[health_state]", "report.generated_rows=[]", f"paths.cache_dir={tmp_path}",
        f"paths.output_dir={tmp_path}/outputs",  # not there yet, and the trial elsewhere
    ]  # fmt: skip
    settings = yaml.safe_load((SEARCHES / "fusion_small.yaml").read_text())
    real = {name: settings[name] for name in ("objectives", "prune_by")}
    search(tmp_path / "study", Path("train.py"), space={"optim.lr": [0.002]}, num_trials=1, overrides=tiny, **real)
    (row,) = table(tmp_path / "study")
    assert (row["outcome"], row["optim.lr"]) == ("finished", "0.002") and 0 <= float(row[F1]) <= 1
    assert settings["prune_by"] in (tmp_path / "study" / "0" / "csv" / "metrics.csv").read_text().splitlines()[0]
    assert "lr: 0.002" in (tmp_path / "outputs" / "latest" / "config.yaml").read_text()


HYDRA_TRAINING = """
import json, pathlib, hydra
@hydra.main(config_path=".", config_name="training", version_base="1.3")
def main(cfg):
    if cfg.optim.lr > 0.5:
        raise FloatingPointError("loss is nan")
    folder, scores = pathlib.Path(cfg.paths.run_dir), {"health_state/macro_f1": cfg.optim.lr}
    (folder / "metrics.json").write_text(json.dumps({"val": {"as_recorded": scores}}))
main()
"""


def test_trials_go_through_a_hydra_launcher(tmp_path):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra: pip install '.[local]'")
    script = tmp_path / "training.py"
    script.write_text(HYDRA_TRAINING)
    keys = {"optim": {"lr": 0}, "paths": {"run_dir": None}, "callbacks": {"progress": {"refresh_rate": 0}}}
    (tmp_path / "training.yaml").write_text(yaml.safe_dump(keys))
    two = {"space": {"optim.lr": [0.2, 0.7]}, "enqueue": [{"optim.lr": 0.2}, {"optim.lr": 0.7}], "num_trials": 2}
    search(tmp_path, script, **two, launcher="joblib", overrides=[], num_workers=2)
    assert [(row["outcome"], row["optim.lr"]) for row in table(tmp_path)] == [("finished", "0.2"), ("diverged", "0.7")]
    assert "launching" in (tmp_path / "0" / "terminal.txt").read_text().lower()


def test_pruning_behind_a_launcher_is_refused(tmp_path, script):
    behind = command(tmp_path, script, launcher="slurm", prune_by="val/f1")
    done = subprocess.run(behind, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0 and "a job behind hydra/launcher=slurm is not ended from here" in done.stderr


def test_a_sampler_that_ends_the_study_itself_is_refused(tmp_path, script):
    grid = {"_target_": "optuna.samplers.GridSampler", "search_space": {"kind": ["good"]}}
    done = subprocess.run(
        command(tmp_path, script, sampler=grid), cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0 and "GridSampler ends a study itself; give its points under enqueue" in done.stderr


def test_an_objective_that_is_not_there_is_named(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps({"val": {"as_recorded": {"a/b": 1.5}}}))
    assert objectives(tmp_path / "metrics.json", ["val/as_recorded/a/b"]) == [1.5]
    with pytest.raises(ValueError, match=r"objective 'val/x/a': metrics.json has no 'x/a', there is \['as_recorded'\]"):
        objectives(tmp_path / "metrics.json", ["val/x/a"])


@pytest.mark.parametrize("name", sorted(p.stem for p in SEARCHES.glob("*.yaml")))
def test_every_search_composes_and_its_space_is_of_keys_that_train_has(name):
    with initialize_config_dir(str(SEARCHES), version_base="1.3"):
        cfg = compose(name)
    instantiate(cfg.sampler)
    instantiate(cfg.pruner)
    chosen = [f"{key}={range_[0] if hasattr(range_, 'append') else range_.low}" for key, range_ in cfg.space.items()]
    assert compose_config([*cfg.overrides, *chosen])
