"""What a finished search found: a ranked table, the trials that failed and why, plots, the command of the best."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import optuna
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
    sign = -1 if study.directions[0] == optuna.study.StudyDirection.MAXIMIZE else 1
    good.sort(key=lambda t: (t.number not in front, sign * t.values[0]))
    return good + [t for t in trials if t.state != TrialState.COMPLETE]


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
    folder.mkdir(exist_ok=True)
    if len(objectives) == 1:
        plots.plot_optimization_history(study, target_name=objectives[0])
        _save(folder / "history.png")
    elif len(objectives) == 2:
        plots.plot_pareto_front(study, target_names=objectives)
        _save(folder / "front.png")
    if len(good) >= 4:
        plots.plot_param_importances(study, target=lambda trial: trial.values[0], target_name=objectives[0])
        _save(folder / "importance.png")


def _save(path: Path) -> None:
    plt.gcf().savefig(path, bbox_inches="tight")
    plt.close("all")
