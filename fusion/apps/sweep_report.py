"""What a finished search found: a ranked table, the trials that failed and why, plots, the command of the best."""

from __future__ import annotations

import csv
import warnings
from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import optuna
from matplotlib.axes import Axes
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as plots
from rich.console import Console
from rich.table import Table


def write_sweep(study: optuna.Study, folder: Path, objectives: list[str]) -> None:
    """Write table.csv and plots/ into ``folder`` and print the table and how to run the best again."""
    trials = ranked(study)
    names = sorted({name for trial in trials for name in trial.params})
    with open(folder / "table.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["trial", "outcome", *objectives, *names, "log"])
        for trial in trials:
            values = trial.values or [""] * len(objectives)
            parameters = [trial.params.get(name, "") for name in names]
            writer.writerow([trial.number, outcome(trial), *values, *parameters, trial.user_attrs.get("log", "")])
    _print(study, trials, objectives, names)
    _plot(study, folder / "plots", objectives)


def ranked(study: optuna.Study) -> list[FrozenTrial]:
    """Good trials best first (of several objectives: those that no other beats first), then the others by number."""
    trials = [t for t in study.get_trials(deepcopy=False) if t.state != TrialState.WAITING]
    good = [t for t in trials if t.state == TrialState.COMPLETE]
    front = {t.number for t in study.best_trials} if good else set()
    good.sort(key=lambda t: (t.number not in front, _badness(study, t)))
    return good + [t for t in trials if t.state != TrialState.COMPLETE]


def _badness(study: optuna.Study, trial: FrozenTrial) -> float:
    """The first objective, low where it is good."""
    return -trial.values[0] if study.directions[0] == optuna.study.StudyDirection.MAXIMIZE else trial.values[0]


def outcome(trial: FrozenTrial) -> str:
    """finished, pruned, diverged, crashed (exit 1), killed by SIGKILL, left no metrics.json, interrupted."""
    return trial.user_attrs.get("outcome", "running" if trial.state == TrialState.RUNNING else "interrupted")


def _print(study: optuna.Study, trials: list[FrozenTrial], objectives: list[str], names: list[str]) -> None:
    console = Console()
    table = Table(title=f"{study.study_name}: {len(trials)} trials")
    for column in ("trial", "outcome", *objectives, *names):
        table.add_column(column, justify="right" if column in objectives else "left", overflow="fold")
    for trial in trials:
        values = [f"{value:.4g}" for value in trial.values or []] or ["-"] * len(objectives)
        parameters = [_short(trial.params.get(name, "-")) for name in names]
        table.add_row(str(trial.number), outcome(trial), *values, *parameters)
    console.print(table)
    for trial in trials:
        if trial.state == TrialState.FAIL:
            console.print(f"trial {trial.number} {outcome(trial)}: {trial.user_attrs.get('log', '-')}", soft_wrap=True)
    if trials and trials[0].state == TrialState.COMPLETE:
        console.print(f"the best again: {trials[0].user_attrs['command']}", soft_wrap=True)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _plot(study: optuna.Study, folder: Path, objectives: list[str]) -> None:
    """history.png (or front.png of two objectives) and, from four good trials on, importance.png."""
    good = [t for t in study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
    if not good:
        return
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # its plots on matplotlib, for years
    warnings.filterwarnings("ignore", message="PedAnovaImportanceEvaluator computes")  # low is good: _badness
    folder.mkdir(exist_ok=True)
    if len(objectives) == 1:
        _save(plots.plot_optimization_history(study, target_name=objectives[0]), folder / "history.png")
    elif len(objectives) == 2:
        _save(plots.plot_pareto_front(study, target_names=objectives), folder / "front.png")
    if len(good) >= 4:
        badness = partial(_badness, study)  # Optuna asks what makes a target low
        axes = plots.plot_param_importances(study, target=badness, target_name=objectives[0])
        _save(axes, folder / "importance.png")


def _save(axes: Axes, path: Path) -> None:
    axes.figure.set_size_inches(7, 4.5)
    axes.legend(loc="best")  # Optuna puts some beside the axes and squeezes those
    axes.figure.savefig(path, bbox_inches="tight")
    plt.close("all")
