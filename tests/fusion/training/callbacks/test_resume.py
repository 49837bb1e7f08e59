"""A killed run goes on as if nothing had happened."""

import json
import shutil
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from benchmarks import resume_cycles
from fusion.training import run as train
from fusion.training.callbacks.journal import read_journal
from fusion.training.callbacks.randomness import counted_seed
from fusion.training.callbacks.resume import ResumeCheckpoint, find_checkpoint
from fusion.training.compose import compose_config

QUICK = ["modality=[text,ppg,audio]", "head=[health_state]", "report.generated_rows=[]", "data.cohort.num_people=24"]


@pytest.mark.parametrize(
    ("cycles", "overrides"),
    [
        (2, ["--num-workers=0", "averaging=ema"]),
        (1, ["--num-workers=2", "trainer.accumulate_grad_batches=2", "+trainer.val_check_interval=2"]),
    ],
)
def test_killed_and_resumed_is_bit_identical_to_undisturbed(cycles, overrides):
    """Real kill -9; losses, records, modality dropout, dropout and test results are compared to the last bit."""
    counts = resume_cycles.main(["--cycles", str(cycles), "--max-epochs", "2", *overrides, *QUICK])
    assert counts.pop("kills") == cycles and counts.pop("steps") >= 8
    assert not any(counts.values()), counts


class Break(pl.Callback):
    """Fail in a chosen batch."""

    def __init__(self, epoch: int, batch: int):
        self.at = (epoch, batch)

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.at:
            raise InterruptedError("broken on purpose")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A run that broke in the third batch of its first epoch."""
    folder = tmp_path_factory.mktemp("resume")
    with pytest.raises(InterruptedError):
        train.run(composed(folder / "broken", "+callbacks.break={_target_: fusion_break, epoch: 0, batch: 2}"))
    return folder


def composed(run_dir: Path, *overrides: str):
    paths = [f"paths.run_dir={run_dir}", f"paths.output_dir={run_dir.parent}", "trainer.max_epochs=2"]
    overrides = [o.replace("fusion_break", f"{__name__}.Break") for o in overrides]
    chosen = {o.partition("=")[0] for o in overrides}
    small = [o for o in resume_cycles.SMALL if o.partition("=")[0] not in chosen]
    return compose_config([*small, *QUICK, *paths, *overrides])


def copied(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(folder / "broken", folder / name))


def test_logs_go_on_and_no_row_is_lost_or_doubled(folder):
    run_dir = copied(folder, "logs")
    train.run(composed(run_dir, "resume=auto"))
    lines = (run_dir / "csv" / "metrics.csv").read_text().splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
    steps = [int(row["step"]) for row in rows if row["train/loss"]]
    assert steps == list(range(len(steps))) and len(steps) == 2 * max(j["batch"] + 1 for j in _journal(run_dir))


def _journal(run_dir: Path) -> list[dict]:
    return read_journal(run_dir / "journal.jsonl.0")


def test_data_that_would_come_in_another_order_are_refused(folder):
    run_dir = copied(folder, "other")
    with pytest.raises(ValueError, match=r"checkpoint was made with batch_size=3, now it is 4.*resume=never"):
        train.run(composed(run_dir, "resume=auto", "data.batch_size=4"))


def test_a_resumed_run_may_go_to_a_directory_of_its_own_and_log_nothing(folder):
    train.run(composed(folder / "own", f"resume={folder / 'broken'}", "logger=none"))
    assert (_journal(folder / "own")[0]["epoch"], _journal(folder / "own")[0]["batch"]) == (0, 2)
    assert json.loads((folder / "own" / "metrics.json").read_text())["test"]


def test_early_stopping_is_not_forgotten(folder):
    """Killed after the decision to stop, before the test: the resumed run must not train on."""
    run_dir = copied(folder, "stopped")
    path = run_dir / "checkpoints" / "last.ckpt"
    checkpoint = torch.load(path)
    assert checkpoint["is_stopped"] is False
    torch.save({**checkpoint, "is_stopped": True}, path)
    num_before = len(_journal(run_dir))
    trainer = _fit(composed(run_dir, "resume=auto"), path)
    assert trainer.global_step == 2 and len(_journal(run_dir)) == num_before


def _fit(cfg, checkpoint: Path | None) -> pl.Trainer:
    data, module = train.build(cfg)
    train.prepare(cfg, data, module)
    callbacks = [train.instantiate(cfg.callbacks[name]) for name in ("resume", "randomness", "journal")]
    trainer = train.instantiate(cfg.trainer, callbacks=callbacks, logger=False)
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint)
    return trainer


def test_a_diverged_run_fails_and_keeps_the_last_good_checkpoint(tmp_path):
    with pytest.raises(FloatingPointError, match=r"loss is (nan|inf) at step .*lower optim.lr"):
        train.run(composed(tmp_path / "run", "optim.lr=1e30", "trainer.gradient_clip_val=null"))
    saved = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert 1 <= saved["global_step"] <= 3 and not (tmp_path / "run" / "metrics.json").exists()


def test_resume_says_which_checkpoint_it_means(tmp_path):
    last = tmp_path / "checkpoints" / "last.ckpt"
    assert find_checkpoint("auto", tmp_path) is None
    last.parent.mkdir()
    last.touch()
    assert find_checkpoint("never", tmp_path) is None
    assert find_checkpoint("auto", tmp_path) == find_checkpoint(str(tmp_path), Path("x")) == last
    assert find_checkpoint(str(last), Path("x")) == last
    with pytest.raises(ValueError, match=r"resume=atuo: no checkpoint at atuo; give auto, never"):
        find_checkpoint("atuo", tmp_path)


@pytest.mark.parametrize("setting", [{"every_n_steps": 0}, {"every_n_minutes": -1.0}])
def test_impossible_interval_is_an_error(setting):
    with pytest.raises(ValueError, match=f"{next(iter(setting))} is .*, expected more than 0, or null"):
        ResumeCheckpoint(dirpath="x", **{"every_n_steps": None, "every_n_minutes": None, **setting})


def test_counted_seeds_differ_for_every_counter():
    seeds = {
        counted_seed(*counters) for counters in [(0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 1, 0, 0), (1, 0, 0, 0)]
    }
    assert len(seeds) == 5 and all(0 <= seed < 2**63 for seed in seeds)
