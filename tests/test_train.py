"""The whole way: one command trains, tests and reports, and says the same thing twice."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fusion.plan import Plan, load_tokenizer, parse
from fusion.training import run as train
from fusion.training.callbacks.journal import read_journal
from fusion.training.compose import compose_config

ROOT = Path(__file__).parent.parent
SMALL = ["experiment=fusion_tiny", "data.cohort.num_people=24", "data.cohort.window_s=20"]


def run(folder: Path, *overrides: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "HEALTH_CACHE_DIR": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "train.py", *SMALL, f"paths.output_dir={folder}/outputs", *overrides]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A finished tiny run with both loggers."""
    folder = tmp_path_factory.mktemp("train")
    done = run(folder, "logger=[wandb,csv]")
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "terminal.txt").write_text(done.stdout)
    return folder


def test_run_directory_holds_what_scripts_read(folder):
    latest = folder / "outputs" / "latest"
    metrics = json.loads((latest / "metrics.json").read_text())
    assert {"all", "as_recorded", "text", "signals+photo", "text+signals+audio"} <= set(metrics["test"])
    row = metrics["test"]["as_recorded"]
    assert row["health_state/macro_f1_low"] <= row["health_state/macro_f1"] <= row["health_state/macro_f1_high"]
    assert 0 <= row["plan/parse_rate"] <= 1 and {"plan/slot_f1", "plan/exact_match", "health_state/ece"} <= set(row)
    assert {"git_commit", "git_is_dirty", "versions", "wall_s", "peak_memory_gib", "data"} <= set(metrics["run"])
    for name in ("config.yaml", "preprocessing.json", "plans.md", "checkpoints/best.ckpt", "checkpoints/last.ckpt"):
        assert (latest / name).is_file(), name
    assert {p.name for p in (latest / "plots").iterdir()} >= {
        "curves.png", "health_state_confusion.png", "health_state_calibration.png", "health_state_subsets.png",
        "plan_sections.png", "plan_subsets.png",
    }  # fmt: skip


def test_predictions_file_gives_the_reported_metric_again(folder):
    predictions = np.load(folder / "outputs/latest/predictions.npz")
    decided = predictions["health_state__as_recorded"].argmax(1)
    metrics = json.loads((folder / "outputs/latest/metrics.json").read_text())["test"]["as_recorded"]
    assert (decided == predictions["health_state__reference"]).mean() == pytest.approx(metrics["health_state/accuracy"])


def test_terminal_ends_with_the_table_and_where_things_are(folder):
    text = (folder / "terminal.txt").read_text()
    for word in ("macro_f1", "as_recorded", "signals", "slot_f1", "checkpoint", "best.ckpt"):
        assert word in text


def test_tracking_is_offline_and_complete(folder):
    offline = list((folder / "outputs/latest/wandb").glob("offline-run-*"))
    assert len(offline) == 1
    assert list(offline[0].rglob("media/**/*.png")) and list(offline[0].rglob("media/**/plans*.json"))


def test_same_seed_gives_the_same_numbers(folder):
    again = run(folder, "logger=[csv]")
    assert again.returncode == 0, again.stderr[-3000:]
    runs = sorted((folder / "outputs/runs").iterdir())
    first, second = (json.loads((r / "metrics.json").read_text())["test"] for r in (runs[0], runs[-1]))
    assert runs[0] != runs[-1] and first == second


def test_one_modality_alone_trains(folder):
    done = run(folder, "modality=[heart_rate]", "head=[health_state]", "debug=fast")
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainr.max_epochs=1", "trainr"),
        ("data.answered=[diet]", "a head answers .diet., but data .synthetic. label only"),
        ("class_weights=square", "class_weights is 'square', expected none or balanced"),
    ],
)
def test_wrong_configuration_is_named_in_the_last_lines(folder, override, message):
    done = run(folder, override)
    assert done.returncode != 0
    assert re.search(message, done.stderr), done.stderr[-1500:]


def debugged(folder: Path, debug: str, *overrides: str) -> Path:
    """The run directory of the whole way under ``debug``, in this process; two modalities, one head."""
    run_dir = folder / debug
    paths = [f"paths.cache_dir={folder}/cache", f"paths.output_dir={folder}", f"paths.run_dir={run_dir}"]
    few = ["modality=[text,heart_rate]", "head=[health_state]", "report.generated_rows=[]"]
    train.run(compose_config([*SMALL, f"debug={debug}", *few, *paths, *overrides]))
    return run_dir


@pytest.mark.parametrize(("debug", "left"), [("fast", "metrics.json"), ("profile", "fit-profile.txt")])
def test_debug_goes_the_whole_way(folder, debug, left):
    assert (debugged(folder, debug) / left).stat().st_size > 0


def test_debug_overfit_learns_one_batch_by_heart(folder):
    """Records and what they show are the same in every step, and the loss falls to nearly nothing."""
    run_dir = debugged(folder, "overfit", "callbacks=journal", "data.cohort.missing_rate=0")
    steps = read_journal(run_dir / "journal.jsonl.0")
    losses = [float.fromhex(step["loss"]) for step in steps]
    assert {step["batch"] for step in steps} == {0} and len(steps) == 100
    assert len({tuple(sorted(step["records"])) for step in steps}) == 1
    assert all(all(shown) for step in steps for shown in step["present"].values())
    assert losses[0] > 1 and losses[-1] < 0.02 * losses[0], losses[::10]


def test_both_heads_overfit_one_batch(folder):
    paths = [f"paths.cache_dir={folder}/cache"]
    cfg = compose_config([*SMALL, *paths, "data.modality_dropout=0", "size.plan.width=64", "size.dim=64"])
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    batch = next(iter(data.train_dataloader()))
    model = module.model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3, fused=True)
    for _ in range(150):
        fused, outputs = model(batch, with_tokens=True)
        loss = module.objective(model, batch, fused, outputs)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    fused = model.eval().fuse(model.encode(batch.streams))
    assert torch.equal(model.heads["health_state"].predict(fused).argmax(1), batch.targets["health_state"])
    tokenizer = load_tokenizer()
    plans = [parse(tokenizer.decode(ids.tolist())) for ids in model.heads["plan"].predict(fused)]
    wanted = [parse(tokenizer.decode(ids[ids >= 0].tolist())) for ids in batch.targets["plan"]]
    assert all(isinstance(plan, Plan) for plan in plans)
    assert sum(plan == want for plan, want in zip(plans, wanted, strict=True)) >= len(plans) - 1
