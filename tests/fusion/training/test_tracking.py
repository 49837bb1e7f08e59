"""Each job is one W&B run that ends as the job ended; what was logged can be read back."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from fusion.training.compose import compose_config
from fusion.training.tracking import check_artifacts, finishing, log_artifacts, wandb_logger
from tests.fusion.training.wandb_reader import read_runs

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list:
    """Two jobs of a sweep in one process, the second one fails; then the first one is resumed."""
    sweep = tmp_path_factory.mktemp("sweeps") / "lr_sweep"
    for job in ("0", "1"):
        (sweep / job).mkdir(parents=True)
    (sweep / "multirun.yaml").touch()
    _job(sweep / "0", 0, 3)
    with pytest.raises(FloatingPointError):
        _job(sweep / "1", 0, 3, fails=True)
    _job(sweep / "0", 2, 5)
    return _finished(sweep)


def _finished(sweep) -> list:
    """The runs, once the background process has written how the last of them ended."""
    until = time.monotonic() + 60
    while True:
        runs = [*read_runs(sweep / "0"), *read_runs(sweep / "1")]
        if all(run.exit_code is not None for run in runs) or time.monotonic() > until:
            return runs
        time.sleep(0.5)


def _job(run_dir, first: int, last: int, fails: bool = False) -> None:
    logger = wandb_logger(run_dir=str(run_dir), project="p", name="tiny", offline=True, log_model=False)
    with finishing([logger]):
        logger.log_hyperparams({"seed": 7, "optim": {"lr": 0.1}})
        for step in range(first, last):
            logger.log_metrics({"train/loss": float(step)}, step=step)
            logger.log_metrics({"train/other": "x" * 40_000}, step=step)  # a record over several blocks
        if fails:
            raise FloatingPointError("diverged")
        for name in ("metrics.json", "plots/curves.png", "plots/nested/no.png", "checkpoints/best.ckpt"):
            (run_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (run_dir / name).write_text("x")
        log_artifacts([logger], run_dir, ["report", "checkpoint"])


def test_every_job_is_one_run_of_the_sweeps_group(runs):
    first, resumed, second = runs
    assert first.id == resumed.id != second.id
    assert {run.group for run in runs} == {"lr_sweep"}
    assert [run.name for run in runs] == ["tiny-0", "tiny-0", "tiny-1"]


def test_a_failed_job_is_a_failed_run(runs):
    assert [run.exit_code for run in runs] == [0, 0, 1]


def test_history_and_config_read_back_by_global_step(runs):
    first, resumed, _ = runs
    assert first.config["optim"] == {"lr": 0.1} and first.config["seed"] == 7
    assert [(row["trainer/global_step"], row["train/loss"]) for row in first.history] == [(i, i) for i in range(3)]
    assert [row["trainer/global_step"] for row in resumed.history] == [2, 3, 4]
    assert len(first.history[0]["train/other"]) == 40_000


def test_report_and_checkpoint_are_artifacts_and_stay_where_they_are(runs):
    first, _, failed = runs
    assert first.artifacts == {"report": ["metrics.json", "plots/curves.png"], "checkpoint": ["checkpoints/best.ckpt"]}
    assert failed.artifacts == {}
    with pytest.raises(ValueError, match=r"report.artifacts names 'weights', expected some of report, checkpoint"):
        check_artifacts(["report", "weights"])


def test_other_ranks_log_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    _job(tmp_path, 0, 2)
    assert not (tmp_path / "wandb").exists()


LOGGING = """
import pathlib, sys
from fusion.training.tracking import finishing, log_artifacts, wandb_logger
folder = pathlib.Path(sys.argv[1])
logger = wandb_logger(run_dir=str(folder), project="p", name="tiny", offline=True, log_model=False)
with finishing([logger]):
    logger.log_hyperparams({"seed": 7})
    logger.log_metrics({"train/loss": 1.0}, step=0)
    (folder / "metrics.json").write_text("{}")
    log_artifacts([logger], folder, ["report"])
"""


@pytest.mark.skipif(
    shutil.which("strace") is None or subprocess.run(["strace", "true"], capture_output=True).returncode != 0,
    reason="needs strace, and a machine that lets it trace",
)
def test_the_default_asks_nobody_on_the_network(tmp_path):
    assert not _asked(tmp_path / "default", LOGGING)
    assert read_runs(tmp_path / "default")[0].artifacts == {"report": ["metrics.json"]}
    far = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"  # sends nothing
    assert len(_asked(tmp_path / "far", far)) == 1  # so the trace shows a call that there is


def _asked(folder: Path, script: str) -> list[str]:
    """Calls that leave the machine, of a Python script and every process it starts: far addresses and name servers."""
    folder.mkdir()
    traced = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", folder / "trace"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    subprocess.run(
        [*traced, sys.executable, "-c", script, folder], cwd=ROOT, env=environment, check=True, timeout=300,
        capture_output=True,
    )  # fmt: skip
    calls = [line for line in (folder / "trace").read_text().splitlines() if "AF_INET" in line]
    near = re.compile(r'inet_addr\("127\.|"::1"')
    return [call for call in calls if not near.search(call) or "htons(53)" in call]


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no offline W&B run under .*logger="):
        read_runs(tmp_path)
    path = tmp_path / "wandb" / "offline-run-1" / "run-x.wandb"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="expected b':W&B'"):
        read_runs(tmp_path)
    path.write_bytes(b":W&B\x00\x00\x00")
    with pytest.raises(ValueError, match="holds no run record"):
        read_runs(tmp_path)


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ("csv", "csv/metrics.csv"),
        ("tensorboard", "tensorboard/events.*"),
        ("[wandb,csv]", "wandb/*/*.wandb"),
        ("none", ""),
    ],
)
def test_every_logger_takes_a_runs_configuration_and_numbers(tmp_path, choice, left):
    cfg = compose_config(["experiment=fusion_tiny", f"logger={choice}", f"paths.run_dir={tmp_path}"])
    loggers = list(instantiate(cfg.logger).values())
    with finishing(loggers):
        for logger in loggers:
            logger.log_hyperparams({**OmegaConf.to_container(cfg, resolve=True), "run": {"commit": None}})
            logger.log_metrics({"train/loss": 1.5}, step=3)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found == [] if choice == "none" else list(tmp_path.glob(left))


def test_loggers_are_finished_with_the_outcome(tmp_path):
    logger = CSVLogger(tmp_path, name="csv", version="")
    with pytest.raises(KeyError), finishing([logger]):
        logger.log_metrics({"a": 1.0}, step=0)
        raise KeyError("x")
    assert "a" in (tmp_path / "csv" / "metrics.csv").read_text()  # what was logged before the failure is there
