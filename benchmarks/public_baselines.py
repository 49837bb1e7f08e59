"""Trivial and humble answers to every head of a public set, scored on its test people."""

# Shapes: B records, F features, K classes.

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, f1_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datamodules.labelled import LabelledCohort
from datamodules.records import HealthRecord

STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # inverse regularisation, tried on validation
MAX_TREE_FEATURES = 64  # trees on a thousand frozen features cost minutes; principal components keep most of them
Scores = dict[str, dict[str, float]]  # method -> metric -> value


def class_scores(
    cohort: LabelledCohort, records: Mapping[str, list[HealthRecord]], x: Mapping[str, np.ndarray], head: str, seed: int
) -> Scores:
    """Majority, persistence, the person's own past, logistic regression and trees on a classification head."""
    kept = {part: [i for i, r in enumerate(own) if head in r.targets] for part, own in records.items()}
    y = {part: np.array([records[part][i].targets[head] for i in rows]) for part, rows in kept.items()}
    x = measured({part: x[part][rows] for part, rows in kept.items()})
    test = [records["test"][i] for i in kept["test"]]
    majority = int(np.bincount(y["train"]).argmax())
    said = {"majority": np.full(len(test), majority)}
    if cohort.is_sequence:
        said["person so far"] = so_far(test, y["test"], lambda past: np.bincount(past).argmax() if past else majority)
    if hasattr(cohort, "persistence"):
        said["persistence"] = np.array([cohort.persistence(record)[head] for record in test])
    models = [linear(LogisticRegression(C=c, max_iter=300, class_weight="balanced"), x, y) for c in STRENGTHS]
    best = max(models, key=lambda model: f1_score(y["val"], model.predict(x["val"]), average="macro"))
    said["logistic regression"] = best.predict(x["test"])
    trees = HistGradientBoostingClassifier(max_iter=100, class_weight="balanced", random_state=seed)
    said["boosted trees"] = narrow(trees, x["train"]).fit(x["train"], y["train"]).predict(x["test"])
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
    cohort: LabelledCohort, records: Mapping[str, list[HealthRecord]], x: Mapping[str, np.ndarray], head: str,
    place: int, seed: int,
) -> Scores:  # fmt: skip
    """Train mean, persistence, the person's mean so far, ridge and trees on one number of a regression head."""
    numbers = {part: np.array([r.targets[head][place] for r in own]) for part, own in records.items()}
    kept = {part: np.isfinite(own) for part, own in numbers.items()}
    y = {part: own[kept[part]] for part, own in numbers.items()}
    x = measured({part: x[part][kept[part]] for part in x})
    test = [r for r, is_kept in zip(records["test"], kept["test"], strict=True) if is_kept]
    mean = float(y["train"].mean())
    said = {"train mean": np.full(len(test), mean)}
    if cohort.is_sequence:
        said["person so far"] = so_far(test, y["test"], lambda past: np.mean(past) if past else mean)
    if hasattr(cohort, "persistence"):
        answer = np.array([cohort.persistence(record)[head][place] for record in test])
        said["persistence"] = np.where(np.isfinite(answer), answer, mean)
    models = [linear(Ridge(alpha=1 / c), x, y) for c in STRENGTHS]
    best = min(models, key=lambda model: root_mean_squared_error(y["val"], model.predict(x["val"])))
    said["ridge"] = best.predict(x["test"])
    trees = HistGradientBoostingRegressor(max_iter=100, random_state=seed)
    said["boosted trees"] = narrow(trees, x["train"]).fit(x["train"], y["train"]).predict(x["test"])
    return {method: {"rmse": root_mean_squared_error(y["test"], answer)} for method, answer in said.items()}


def measured(x: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Without the features that no train record has: trees cannot bin them."""
    known = np.isfinite(x["train"]).any(axis=0)
    return {part: own[:, known] for part, own in x.items()}


def so_far(records: list[HealthRecord], y: np.ndarray, guess: Callable[[list], float]) -> np.ndarray:
    """A guess from the earlier labels of the same person alone; records come in order of time."""
    past: dict[str, list] = defaultdict(list)
    said = []
    for record, label in zip(records, y, strict=True):
        said.append(guess(past[record.person_id]))
        past[record.person_id].append(label)
    return np.array(said)


def linear(model: object, x: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray]) -> object:
    """``model`` behind filling, flags of absence and scaling."""
    fill = SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(fill, StandardScaler(), model).fit(x["train"], y["train"])


def narrow(trees: object, x: np.ndarray) -> object:
    """``trees`` on the leading principal components where there are many features."""
    if x.shape[1] <= 4 * MAX_TREE_FEATURES:
        return trees
    num = min(MAX_TREE_FEATURES, len(x))
    fill = SimpleImputer(strategy="mean", keep_empty_features=True)
    return make_pipeline(fill, StandardScaler(), PCA(num, random_state=0), trees)
