"""Trivial and humble answers to every head of a public set, scored on its test people."""

# Shapes: B records, F features, K classes.

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, f1_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.public_features import Table
from benchmarks.public_words import worded
from datamodules.records import HealthRecord
from datamodules.sets.labelled import LabelledCohort

STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # inverse regularisation, tried on validation
STRENGTHS_OF_WORDS = (1.0, 10.0, 100.0)  # the same where a record's features have length 1, not 1 each
NUM_FROZEN = 32  # principal components of frozen features for trees: a thousand cost minutes and hide the others
Scores = dict[str, dict[str, float]]  # method -> metric -> value


def class_scores(
    cohort: LabelledCohort, records: Mapping[str, list[HealthRecord]], x: Mapping[str, Table],
    texts: Mapping[str, list[str]], head: str, seed: int,
) -> Scores:  # fmt: skip
    """Majority, persistence, the person's own past, logistic regression and trees on a classification head.

    ``texts``: signals in words; {} where there are none.
    """
    kept = {part: [i for i, r in enumerate(own) if head in r.targets] for part, own in records.items()}
    y = {part: np.array([records[part][i].targets[head] for i in rows]) for part, rows in kept.items()}
    x = measured({part: Table(x[part].values[rows], x[part].num_hand) for part, rows in kept.items()})
    test = [records["test"][i] for i in kept["test"]]
    majority = int(np.bincount(y["train"]).argmax())
    said = {"majority": np.full(len(test), majority)}
    if cohort.is_sequence:
        said["person so far"] = so_far(test, y["test"], lambda past: np.bincount(past).argmax() if past else majority)
    if hasattr(cohort, "persistence"):
        said["persistence"] = np.array([cohort.persistence(record)[head] for record in test])
    regressions = [LogisticRegression(C=c, max_iter=300, class_weight="balanced") for c in STRENGTHS]
    said["logistic regression"] = linear(regressions, x, y, lambda a, b: f1_score(a, b, average="macro"))
    if texts:
        texts = {part: [texts[part][i] for i in rows] for part, rows in kept.items()}
        regressions = [LogisticRegression(C=c, max_iter=300, class_weight="balanced") for c in STRENGTHS_OF_WORDS]
        said["verbalised"] = worded(regressions, texts, y, lambda a, b: f1_score(a, b, average="macro"))
    leaf = leaf_size(len(y["train"]))
    trees = HistGradientBoostingClassifier(
        max_iter=100, min_samples_leaf=leaf, class_weight="balanced", random_state=seed
    )
    said["boosted trees"] = boosted(trees, x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class that only the answer has
        return {
            method: {
                "macro_f1": f1_score(y["test"], answer, average="macro"),
                "balanced_accuracy": balanced_accuracy_score(y["test"], answer),
            }
            for method, answer in said.items()
        }


def number_scores(
    cohort: LabelledCohort, records: Mapping[str, list[HealthRecord]], x: Mapping[str, Table],
    texts: Mapping[str, list[str]], head: str, place: int, seed: int,
) -> Scores:  # fmt: skip
    """Train mean, persistence, the person's mean so far, ridge and trees on one number of a regression head."""
    numbers = {part: np.array([r.targets[head][place] for r in own]) for part, own in records.items()}
    kept = {part: np.isfinite(own) for part, own in numbers.items()}
    y = {part: own[kept[part]] for part, own in numbers.items()}
    x = measured({part: Table(own.values[kept[part]], own.num_hand) for part, own in x.items()})
    test = [r for r, is_kept in zip(records["test"], kept["test"], strict=True) if is_kept]
    mean = float(y["train"].mean())
    said = {"train mean": np.full(len(test), mean)}
    if cohort.is_sequence:
        said["person so far"] = so_far(test, y["test"], lambda past: np.mean(past) if past else mean)
    if hasattr(cohort, "persistence"):
        answer = np.array([cohort.persistence(record)[head][place] for record in test])
        said["persistence"] = np.where(np.isfinite(answer), answer, mean)
    said["ridge"] = linear([Ridge(alpha=1 / c) for c in STRENGTHS], x, y, lambda a, b: -root_mean_squared_error(a, b))
    if texts:
        texts = {part: [texts[part][i] for i in np.flatnonzero(own)] for part, own in kept.items()}
        regressions = [Ridge(alpha=1 / c) for c in STRENGTHS_OF_WORDS]
        said["verbalised"] = worded(regressions, texts, y, lambda a, b: -root_mean_squared_error(a, b))
    trees = HistGradientBoostingRegressor(max_iter=100, min_samples_leaf=leaf_size(len(y["train"])), random_state=seed)
    said["boosted trees"] = boosted(trees, x, y)
    return {method: {"rmse": root_mean_squared_error(y["test"], answer)} for method, answer in said.items()}


def measured(x: Mapping[str, Table]) -> dict[str, Table]:
    """Without the features that no train record has: trees cannot bin them."""
    known = np.isfinite(x["train"].values).any(axis=0)
    return {part: Table(own.values[:, known], int(known[: own.num_hand].sum())) for part, own in x.items()}


def so_far(records: list[HealthRecord], y: np.ndarray, guess: Callable[[list], float]) -> np.ndarray:
    """A guess from the earlier labels of the same person alone; records come in order of time."""
    past: dict[str, list] = defaultdict(list)
    said = []
    for record, label in zip(records, y, strict=True):
        said.append(guess(past[record.person_id]))
        past[record.person_id].append(label)
    return np.array(said)


def linear(models: list, x: Mapping[str, Table], y: Mapping[str, np.ndarray], score: Callable) -> np.ndarray:
    """Answers to test of the model that validates best, on all features or on those made by hand alone."""
    num = x["train"].values.shape[1]
    tried = []
    for width in sorted({num, x["train"].num_hand or num}):
        for model in models:
            fill = SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True)
            piped = make_pipeline(fill, StandardScaler(), clone(model))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                piped.fit(x["train"].values[:, :width], y["train"])
            tried.append((score(y["val"], piped.predict(x["val"].values[:, :width])), len(tried), width, piped))
    *_, width, best = max(tried)
    return best.predict(x["test"].values[:, :width])


def leaf_size(num_train: int) -> int:
    """scikit-learn's 20 records a leaf, fewer where that would leave no branch."""
    return max(2, min(20, num_train // 20))


def boosted(trees: object, x: Mapping[str, Table], y: Mapping[str, np.ndarray]) -> np.ndarray:
    """Answers to test of trees on the features made by hand and the leading components of the frozen ones."""
    table = {part: own.values for part, own in x.items()}
    num_hand, num = x["train"].num_hand, x["train"].values.shape[1]
    if num - num_hand > NUM_FROZEN:
        fill = SimpleImputer(strategy="mean", keep_empty_features=True)
        count = min(NUM_FROZEN, len(table["train"]))
        narrow = make_pipeline(fill, StandardScaler(), PCA(count, random_state=0)).fit(table["train"][:, num_hand:])
        table = {k: np.hstack([v[:, :num_hand], narrow.transform(v[:, num_hand:])]) for k, v in table.items()}
    return trees.fit(table["train"], y["train"]).predict(table["test"])
