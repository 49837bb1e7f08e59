"""Search hyperparameters: ``python -m fusion.sweep num_workers=2``; conf/hparams_search says what, docs/sweeps.md why.

Every trial is a process of its own, so a crash, a kill or a NaN ends one trial and not the search.
"""

from __future__ import annotations

import csv
import json
import math
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hydra
import optuna
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from optuna.trial import Trial, TrialState

from fusion.apps.sweep_report import write_sweep
from fusion.training.compose import CONF

ASKING = threading.Lock()  # workers must not begin one trial too many
POLL_S = 1.0  # how often a running trial is looked at
PATIENCE_S = 20.0  # a training told to end gets so long, then it is killed
DIVERGED = "FloatingPointError"  # what the module raises


@hydra.main(config_path=str(CONF / "hparams_search"), config_name="fusion_small", version_base="1.3")
def main(cfg: DictConfig) -> None:
    """Run the trials that are missing, then print the table and the command that repeats the best."""
    folder = Path(cfg.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(cfg, folder / "multirun.yaml", resolve=True)  # for training/tracking.py: the runs belong together
    if cfg.launcher and cfg.prune_by:
        raise ValueError(
            f"a job behind hydra/launcher={cfg.launcher} is not ended from here; set prune_by=null, or launch with a "
            f'command that passes SIGTERM on, e.g. launch="srun --gres=gpu:1"'
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = open_study(cfg, folder)
    with ThreadPoolExecutor(cfg.num_workers) as workers:
        list(workers.map(lambda _: _work(cfg, study, folder), range(cfg.num_workers)))
    write_sweep(study, folder, list(cfg.objectives))


def open_study(cfg: DictConfig, folder: Path) -> optuna.Study:
    """The study of ``folder``, with the trials of a search that was killed put back in the queue."""
    sampler = instantiate(cfg.sampler)
    if isinstance(sampler, optuna.samplers.GridSampler | optuna.samplers.BruteForceSampler):
        raise ValueError(f"sampler {type(sampler).__name__} ends a study itself; give its points under enqueue instead")
    study = optuna.create_study(
        storage=cfg.storage, study_name=cfg.study, load_if_exists=True,
        directions=list(cfg.objectives.values()), sampler=sampler, pruner=instantiate(cfg.pruner),
    )  # fmt: skip
    if study.get_trials(deepcopy=False):
        sampler.reseed_rng()  # the same seed would draw the first points again
    else:
        for point in cfg.enqueue:
            study.enqueue_trial(dict(point))
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        host, pid = trial.user_attrs.get("process", [socket.gethostname(), 0])
        if host == socket.gethostname() and not _is_alive(pid):
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params, user_attrs={"repeats": trial.number})
    return study


def _is_alive(pid: int) -> bool:
    return pid > 0 and Path(f"/proc/{pid}").is_dir()


def _work(cfg: DictConfig, study: optuna.Study, folder: Path) -> None:
    """Ask, run, tell, until ``num_trials`` have been started by whoever works on this study."""
    while True:
        trial = _next(cfg, study)
        if trial is None:
            return
        _run(cfg, study, trial, folder / str(trial.number))


def _next(cfg: DictConfig, study: optuna.Study) -> Trial | None:
    """The next trial to run; None where enough were begun, those that were interrupted and repeated not counted."""
    with ASKING:
        repeated = {t.user_attrs["repeats"] for t in study.get_trials(deepcopy=False) if "repeats" in t.user_attrs}
        begun = [t for t in study.get_trials(deepcopy=False) if t.state != TrialState.WAITING]
        if len(begun) - len(repeated & {t.number for t in begun}) >= cfg.num_trials:
            return None
        trial = study.ask()
        trial.set_user_attr("process", [socket.gethostname(), os.getpid()])
        return trial


def _run(cfg: DictConfig, study: optuna.Study, trial: Trial, run_dir: Path) -> None:
    """One training; its end is told to the study whatever it was."""
    chosen = [f"{name}={_suggest(trial, name, range_)}" for name, range_ in cfg.space.items()]
    command = [*shlex.split(cfg.script), *cfg.overrides, *chosen]
    trial.set_user_attr("command", shlex.join(["python", *command]))
    trial.set_user_attr("log", str(run_dir / "terminal.txt"))
    run_dir.mkdir(parents=True, exist_ok=True)
    where = [f"paths.run_dir={run_dir}", f"hydra.run.dir={run_dir}", "callbacks.progress.refresh_rate=0"]
    if cfg.launcher:  # a multirun of one job
        sweep = [f"hydra.sweep.dir={run_dir.parent}", f"hydra.sweep.subdir={run_dir.name}"]
        where += [f"hydra/launcher={cfg.launcher}", *sweep, "--multirun"]
    with open(run_dir / "terminal.txt", "w") as terminal:
        process = subprocess.Popen(
            [*shlex.split(cfg.launch), sys.executable, *command, *where],
            stdout=terminal, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        is_pruned = _watch(process, trial, run_dir / "csv" / "metrics.csv", cfg.prune_by)
    if is_pruned:
        trial.set_user_attr("outcome", "pruned")
        study.tell(trial, state=TrialState.PRUNED)
        return
    outcome = _outcome(process.returncode, run_dir / "terminal.txt", run_dir / "metrics.json")
    values = objectives(run_dir / "metrics.json", list(cfg.objectives)) if outcome == "finished" else []
    if not all(math.isfinite(value) for value in values):
        outcome = "diverged"
    trial.set_user_attr("outcome", outcome)
    if outcome == "finished":
        study.tell(trial, values)
    else:
        study.tell(trial, state=TrialState.FAIL)


def _suggest(trial: Trial, name: str, range_: object) -> object:
    if OmegaConf.is_list(range_):
        return trial.suggest_categorical(name, list(range_))
    if not OmegaConf.is_dict(range_) or not {"low", "high"} <= set(range_):
        raise ValueError(f"space.{name} is {range_}, expected a list of choices or {{low, high[, log]}}")
    is_whole = isinstance(range_.low, int) and isinstance(range_.high, int)
    return (trial.suggest_int if is_whole else trial.suggest_float)(name, **range_)


def _watch(process: subprocess.Popen, trial: Trial, metrics: Path, column: str | None) -> bool:
    """Wait for the training; report each epoch's metric, and end it where Optuna would prune (then True)."""
    num_reported = 0
    while process.poll() is None:
        time.sleep(POLL_S)
        values = _column(metrics, column) if column else []
        for step in range(num_reported, len(values)):
            trial.report(values[step], step)
        if len(values) > num_reported and trial.should_prune():
            _end(process)
            return True
        num_reported = len(values)
    return False


def _end(process: subprocess.Popen) -> None:
    """Ask first: what a ``launch`` command started elsewhere ends only if the command can pass it on."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _column(metrics: Path, column: str) -> list[float]:
    if not metrics.is_file():
        return []
    with open(metrics, newline="") as file:
        return [float(row[column]) for row in csv.DictReader(file) if row.get(column)]


def objectives(metrics: Path, paths: list[str]) -> list[float]:
    """The numbers of metrics.json under slash-separated paths."""
    document = json.loads(metrics.read_text())
    return [_look_up(document, path, path) for path in paths]


def _look_up(part: object, path: str, whole: str) -> float:
    """Keys may hold slashes themselves: "val/as_recorded/health_state/macro_f1"."""
    if not path:
        return float(part)
    for key in part if isinstance(part, dict) else ():
        if path == key or path.startswith(f"{key}/"):
            return _look_up(part[key], path[len(key) + 1 :], whole)
    there = list(part)[:8] if isinstance(part, dict) else part
    raise ValueError(f"objective {whole!r}: metrics.json has no {path!r}, there is {there}; fix objectives")


def _outcome(returncode: int, log: Path, metrics: Path) -> str:
    if returncode == 0 and metrics.is_file():
        return "finished"
    if DIVERGED in log.read_text(errors="replace"):
        return "diverged"
    if returncode == 0:
        return "left no metrics.json"
    number = -returncode if returncode < 0 else returncode - 128  # srun's and a shell's way to report a signal
    is_killed = number in set(signal.Signals)
    return f"killed by {signal.Signals(number).name}" if is_killed else f"crashed (exit {returncode})"


if __name__ == "__main__":
    main()
