"""Logistic regression on frozen features, and separate probes joined by the exact rule, on the composed records.

    python -m benchmarks.composed_baseline --data-dir DATA [--runs RUN_DIR ...]

Writes per split the test probabilities (npz, as a training run does) and one table (csv) under --out-dir. With --runs,
prints the paired interval of each training run against the baseline on the same records: better, worse, unresolved.
"""

# Shapes: B records, K = 6 states, 64 cells of the rule.

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from benchmarks.composed_features import cohort_features
from datamodules.records import HealthRecord
from datamodules.rule import CELLS, GROUP_OF, LATENTS, STATES, prior, state_of
from datamodules.simulate.composed import ComposedCohort
from fusion.batch import GROUPS
from fusion.evidence.intervals import balanced_accuracy, central, confusion, macro_f1, source_weights, verdict

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)  # inverse regularisation tried on validation
NUM_DRAWS = 2000
STATE = "health_state"
SCORES = {"macro_f1": macro_f1, "balanced_accuracy": balanced_accuracy}
LATENT_OF = {group: latent for latent, group in GROUP_OF.items()}


def blocks(features: Mapping[str, Mapping[str, np.ndarray]], groups: Iterable[str]) -> dict[str, np.ndarray]:
    """{split: (B, F)}: the groups side by side, standardised on train and each of total variance 1.

    Otherwise the 1280 photo features outvote the 40 of the signals: macro-F1 .47 instead of .50 on split 0.
    """
    columns: dict[str, list[np.ndarray]] = {split: [] for split in features}
    for group in groups:
        scaler = StandardScaler().fit(features["train"][group])
        for split, own in features.items():
            columns[split].append(scaler.transform(own[group]) / np.sqrt(own[group].shape[1]))
    return {split: np.concatenate(parts, axis=1) for split, parts in columns.items()}


def fit(x: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray]) -> LogisticRegression:
    """Logistic regression of the strength with the best validation macro-F1."""
    models = [LogisticRegression(C=c, max_iter=500).fit(x["train"], y["train"]) for c in STRENGTHS]
    return max(models, key=lambda model: f1_score(y["val"], model.predict(x["val"]), average="macro"))


def targets(records: Mapping[str, list[HealthRecord]], name: str) -> dict[str, np.ndarray]:
    return {split: np.array([record.targets[name] for record in own]) for split, own in records.items()}


def by_rule(latents: Mapping[str, np.ndarray]) -> np.ndarray:
    """Probabilities of latents given their own modality, {latent: (B, k)} -> states (B, K), by the exact rule.

    P(cell | all) ~ P(cell) x product of P(latent | own) / P(latent), modalities being independent given the cell.
    """
    cell_prior = prior()
    log_cells = np.log(cell_prior)
    for latent, probabilities in latents.items():
        index = np.array([LATENTS[latent].index(cell[latent]) for cell in CELLS])
        marginal = np.bincount(index, weights=cell_prior)
        log_cells = log_cells + np.log(probabilities[:, index] + 1e-9) - np.log(marginal[index])
    cells = np.exp(log_cells - log_cells.max(axis=1, keepdims=True))
    states = cells @ np.eye(len(STATES))[[STATES.index(state_of(cell)) for cell in CELLS]]
    return states / states.sum(axis=1, keepdims=True)


def run_split(cohort: ComposedCohort, cache_dir: Path) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, float]]:
    """({method: {subset: test probabilities (B, K)}}, {latent: test AUROC of its probe})."""
    features = cohort_features(cohort, cache_dir)
    records = {split: cohort.records(split) for split in features}
    states = targets(records, STATE)
    subsets = {"all": GROUPS, **{group: (group,) for group in GROUPS}}
    regression = {}
    for name, groups in subsets.items():
        x = blocks(features, groups)
        regression[name] = fit(x, states).predict_proba(x["test"])

    probes, auroc = {}, {}
    for latent, group in GROUP_OF.items():
        x, y = blocks(features, [group]), targets(records, latent)
        probes[latent] = fit(x, y).predict_proba(x["test"])
        scores = probes[latent][:, 1] if len(LATENTS[latent]) == 2 else probes[latent]
        auroc[latent] = roc_auc_score(y["test"], scores, multi_class="ovr")
    rule = {}
    for size in range(1, len(GROUPS) + 1):
        for groups in combinations(GROUPS, size):
            name = "all" if size == len(GROUPS) else "+".join(groups)
            rule[name] = by_rule({LATENT_OF[group]: probes[LATENT_OF[group]] for group in groups})
    return {"logistic regression": regression, "probes + exact rule": rule}, auroc


def table(probabilities: Mapping[str, np.ndarray], labels: np.ndarray, weights: list[np.ndarray]) -> pd.DataFrame:
    """Macro-F1 and balanced accuracy of every subset, each with its 95 % interval over sources."""
    rows = []
    for subset, own in probabilities.items():
        row: dict[str, object] = {"subset": subset}
        matrices = [confusion(labels, own.argmax(axis=1), len(STATES), w) for w in (None, *weights)]
        for name, score in SCORES.items():
            row[name], *draws = (score(matrix) for matrix in matrices)
            row[f"{name}_low"], row[f"{name}_high"] = central(draws)
        rows.append(row)
    return pd.DataFrame(rows)


def paired_draws(
    run: Path, baseline: Path, records: list[HealthRecord], weights: list[np.ndarray], subset: str = "all"
) -> tuple[float, np.ndarray]:
    """(difference of macro-F1, its bootstrap draws): a run's predictions minus the baseline's on the same records."""
    decided = {}
    for path in (run, baseline):
        with np.load(path) as file:
            rows = dict(zip(file[f"{STATE}__record_ids"].tolist(), file[f"{STATE}__{subset}"].argmax(1), strict=True))
        missing = [record.record_id for record in records if record.record_id not in rows]
        if missing:
            raise ValueError(
                f"{path} lacks {len(missing)} of {len(records)} records, first {missing[0]!r}; predict the same "
                f"cohort, split and seed (data.cohort.*) as the baseline"
            )
        decided[path] = np.array([rows[record.record_id] for record in records])
    labels = np.array([record.targets[STATE] for record in records])

    def difference(w: np.ndarray | None) -> float:
        ours, theirs = (confusion(labels, decided[path], len(STATES), w) for path in (run, baseline))
        return macro_f1(ours) - macro_f1(theirs)

    return difference(None), np.array([difference(w) for w in weights])


def say(name: str, value: float, draws: np.ndarray) -> None:
    low, high = central(draws)
    print(f"{name}: macro-F1 difference {value:+.3f} [{low:+.3f}, {high:+.3f}] {verdict(low, high)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, default=Path(".cache"))
    parser.add_argument("--out-dir", type=Path, default=Path("outputs/composed_baseline"))
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="run directories, one a split, in that order")
    arguments = parser.parse_args()
    if arguments.runs and len(arguments.runs) != len(arguments.splits):
        parser.error(f"got {len(arguments.runs)} runs for {len(arguments.splits)} splits; name one run a split")
    arguments.out_dir.mkdir(parents=True, exist_ok=True)

    tables, differences = [], []
    for position, split in enumerate(arguments.splits):
        cohort = ComposedCohort(data_dir=arguments.data_dir, split=split)
        methods, auroc = run_split(cohort, arguments.cache_dir)
        records = cohort.records("test")
        labels = np.array([record.targets[STATE] for record in records])
        weights = list(source_weights([record.sources for record in records], NUM_DRAWS, seed=split))
        for method, probabilities in methods.items():
            path = arguments.out_dir / f"{method.split()[0]}-split{split}.npz"
            ids = np.array([record.record_id for record in records])
            named = {f"{STATE}__{subset}": own for subset, own in probabilities.items()}
            np.savez(path, **{f"{STATE}__record_ids": ids, f"{STATE}__reference": labels}, **named)
            tables.append(table(probabilities, labels, weights).assign(split=split, method=method))
            print(f"\nsplit {split}, {method}\n{tables[-1].iloc[:, :7].round(3).to_string(index=False)}")
            if arguments.runs:
                run = arguments.runs[position] / "predictions.npz"
                value, draws = paired_draws(run, path, records, weights)
                differences.append((method, value, draws))
                say(f"run of split {split} against {method}", value, draws)
        print("probe AUROC:", ", ".join(f"{latent} {value:.3f}" for latent, value in auroc.items()))
    results = pd.concat(tables)
    results.to_csv(arguments.out_dir / "results.csv", index=False)
    mean = results.groupby(["method", "subset"], sort=False)[["macro_f1", "balanced_accuracy"]].mean()
    print(f"\nmean over splits\n{mean.round(3).to_string()}")
    for method in dict.fromkeys(method for method, _, _ in differences):
        own = [(value, draws) for name, value, draws in differences if name == method]
        say(f"mean over splits against {method}", float(np.mean([v for v, _ in own])), np.mean([d for _, d in own], 0))


if __name__ == "__main__":
    main()
