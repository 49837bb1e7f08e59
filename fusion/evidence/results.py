"""metrics.json and predictions.npz: what scripts, sweeps and paired comparisons read."""

# Shapes: N records, R replicates.

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fusion.evidence.intervals import central, source_weights
from fusion.evidence.kinds import kind_of
from fusion.targets import UNLABELLED, Target

Predictions = dict[str, dict[str, list]]  # row: {head: [(record ids, predicted, reference) of each batch]}


class Said(NamedTuple):
    """What a head said of the labelled records of a row, beside what is true."""

    record_ids: list[str]
    predicted: np.ndarray
    reference: np.ndarray


def collect(predictions: Predictions, head: str) -> dict[str, Said]:
    """By row of the results table, everything that one head said; texts and plans are padded to the longest."""
    rows = {}
    for row, heads in predictions.items():
        if heads.get(head):
            ids, predicted, reference = zip(*heads[head], strict=True)
            rows[row] = Said([one for part in ids for one in part], _join(predicted), _join(reference))
    return rows


def add_intervals(
    results: dict[str, dict[str, float]], predictions: Predictions, asked: Mapping[str, Target],
    sources: dict[str, dict[str, str]], num_replicates: int,
) -> None:  # fmt: skip
    """Put <head>/num_records, and <metric>_low and _high bootstrapped over ``sources`` (by record id), into every row.

    ``asked``: by head, the target it answers, whose kind says which metrics have an interval.
    """
    for row, own in predictions.items():
        drawn: dict[tuple[str, ...], np.ndarray] = {}  # heads labelled on the same records share their replicates
        for head in (head for head in asked if own.get(head)):
            said, kind = collect({row: own}, head)[row], kind_of(asked[head])
            ids = tuple(said.record_ids)
            if ids not in drawn:
                drawn[ids] = np.array(list(source_weights([sources[i] for i in ids], num_replicates, seed=0)))
            results[row][f"{head}/num_records"] = len(ids)
            for metric, values in kind.resample(said.predicted, said.reference, drawn[ids]).items():
                if np.isfinite(values).any():
                    low, high = central(values[np.isfinite(values)].tolist())
                    results[row] |= {f"{head}/{metric}_low": low, f"{head}/{metric}_high": high}


def save_predictions(path: Path, predictions: Predictions, asked: Mapping[str, Target]) -> None:
    """By head: <head>__record_ids (N,), <head>__reference, and <head>__<row> for every row of the results table.

    The records are those that ``as_recorded`` has; where another row lacks one, its line is NaN, or -100 for tokens.
    """
    arrays: dict[str, np.ndarray] = {}
    for head in asked:
        rows = collect(predictions, head)
        if "as_recorded" not in rows:
            continue
        everyone = rows["as_recorded"]
        place = {record: i for i, record in enumerate(everyone.record_ids)}
        arrays |= {f"{head}__record_ids": np.array(everyone.record_ids), f"{head}__reference": everyone.reference}
        for row, said in rows.items():
            blank = np.nan if np.issubdtype(said.predicted.dtype, np.floating) else UNLABELLED
            full = np.full((len(place), *said.predicted.shape[1:]), blank, said.predicted.dtype)
            full[[place[i] for i in said.record_ids]] = said.predicted
            arrays[f"{head}__{row}"] = full
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


def _join(batches: tuple[Tensor, ...]) -> np.ndarray:
    """Batches end to end; rows of tokens or tags (B, T) are padded to the longest batch."""
    first = batches[0]
    if first.ndim == 2 and not first.is_floating_point():
        width = max(batch.shape[1] for batch in batches)
        pad = torch.nn.functional.pad
        batches = tuple(pad(batch, (0, width - batch.shape[1]), value=UNLABELLED) for batch in batches)
    joined = torch.cat(batches)
    return (joined.float() if joined.is_floating_point() else joined).numpy()
