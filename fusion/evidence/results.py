"""metrics.json and predictions.npz: what scripts, sweeps and paired comparisons read."""

# Shapes: N records, K classes.

from __future__ import annotations

import json
import os
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from fusion.evidence.intervals import bootstrap, central, source_weights

STATE, NUMBERS = "health_state", "regression"


def collect(predictions: dict[str, dict[str, list]], head: str) -> dict[str, tuple[list[str], np.ndarray, np.ndarray]]:
    """{row: (record ids, probabilities (N, K), labels (N,))} of one classification head."""
    rows = {}
    for row, heads in predictions.items():
        if heads.get(head):
            ids, predicted, target = zip(*heads[head], strict=True)
            rows[row] = (list(chain(*ids)), torch.cat(predicted).float().numpy(), torch.cat(target).numpy())
    return rows


def add_intervals(
    results: dict[str, dict[str, float]], predictions: dict[str, dict[str, list]], sources: dict[str, dict[str, str]],
    num_replicates: int,
) -> None:  # fmt: skip
    """Put <score>_low and _high, bootstrapped over ``sources`` (by record id), into every row.

    Scores: macro-F1 and balanced accuracy of the health state, RMSE of every number of a regression head.
    """
    _add_error_intervals(results, predictions, sources, num_replicates)
    for row, (ids, probabilities, labels) in collect(predictions, STATE).items():
        bounds = bootstrap(
            labels, probabilities.argmax(1), [sources[i] for i in ids], probabilities.shape[1], num_replicates
        )
        for score, (low, high) in bounds.items():
            results[row] |= {f"{STATE}/{score}_low": low, f"{STATE}/{score}_high": high}
        results[row][f"{STATE}/num_records"] = len(ids)


def _add_error_intervals(
    results: dict[str, dict[str, float]], predictions: dict[str, dict[str, list]], sources: dict[str, dict[str, str]],
    num_replicates: int,
) -> None:  # fmt: skip
    for row, (ids, predicted, reference) in collect(predictions, NUMBERS).items():
        squares = np.square(predicted - reference)  # (N, P), NaN where not labelled
        known = np.isfinite(squares)
        weights = np.array(list(source_weights([sources[i] for i in ids], num_replicates, seed=0)))  # (R, N)
        with np.errstate(invalid="ignore"):  # a replicate without any label of a target is NaN and left out
            errors = np.sqrt(weights @ np.where(known, squares, 0) / (weights @ known))
        names = [key for key in results[row] if key.startswith(f"{NUMBERS}/") and key.endswith("rmse")]
        for key, column in zip(names, errors[:, known.any(0)].T, strict=True):
            low, high = central(column[np.isfinite(column)].tolist())
            results[row] |= {f"{key}_low": low, f"{key}_high": high}


def save_predictions(path: Path, predictions: dict[str, dict[str, list]]) -> None:
    """record_ids (N,), labels (N,) and probabilities__<row> (N, K), NaN where the record lacks what the row shows."""
    rows = collect(predictions, STATE)
    if not rows:
        return
    record_ids, _, labels = rows["as_recorded"]
    place = {record: i for i, record in enumerate(record_ids)}
    arrays = {"record_ids": np.array(record_ids), "labels": labels}
    for row, (ids, probabilities, _) in rows.items():
        full = np.full((len(record_ids), probabilities.shape[1]), np.nan, dtype=np.float32)
        full[[place[i] for i in ids]] = probabilities
        arrays[f"probabilities__{row}"] = full
    np.savez_compressed(path, **arrays)


def save_metrics(
    path: Path, results: dict[str, dict[str, float]], val: dict[str, float], ceiling: dict, about: dict[str, object]
) -> None:
    """Write {"test": {row: ...}, "test_streams": ..., "prior": ..., "val": ..., "ceiling": ..., "run": ...}."""
    rows = dict(results)
    document = {
        "prior": rows.pop("prior"),
        "test_streams": {row.removeprefix("stream:"): rows.pop(row) for row in results if row.startswith("stream:")},
        "test": rows,
        "val": {"as_recorded": {name.removeprefix("val/"): value for name, value in val.items()}},
        "ceiling": ceiling,
        "run": about,
    }
    path.write_text(json.dumps(document, indent=1))


def set_latest(run_dir: Path, output_dir: Path) -> None:
    """Point outputs/latest at this run, wherever that is, by one rename."""
    output_dir.mkdir(parents=True, exist_ok=True)
    link, new = output_dir / "latest", output_dir / f".latest-{os.getpid()}"
    new.symlink_to(run_dir.resolve())
    os.replace(new, link)
