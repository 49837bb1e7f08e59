"""Look for leaks between the splits of a cohort: ``python -m datamodules.audit data=NAME paths.data_dir=DIR``.

Other arguments are overrides of the training configuration. Leaks (people or sources in two splits, equal or nearly
equal recordings, statistics fitted outside train) give exit status 1; labels readable from names or metadata, and what
a random split would have promised, are measured and shown.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from hydra.errors import HydraException
from hydra.utils import instantiate
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from datamodules.cohort import Cohort
from datamodules.inspect.audit_likeness import near_duplicates
from datamodules.inspect.audit_pieces import Finding, pieces, same_bytes, shared_sources
from datamodules.inspect.audit_probe import chance, from_metadata, from_names, inflation, make_task
from datamodules.inspect.public import TABLES
from datamodules.records import HealthRecord
from datamodules.splits import SPLITS
from fusion.training.compose import compose_config

if TYPE_CHECKING:  # Lightning takes twelve seconds to import, and only --statistics needs it
    from datamodules.base import HealthDataModule


READABLE = 0.1  # of balanced accuracy above chance: below it a few dozen test people cannot tell it from nothing


def main(argv: Sequence[str] | None = None) -> int:
    """Print the audit of one cohort; 1 where anything leaks."""
    parser = argparse.ArgumentParser(prog="python -m datamodules.audit", description=__doc__.splitlines()[0])
    parser.add_argument("overrides", nargs="+", help="data=NAME and other settings of train.py")
    parser.add_argument("--json", type=Path, help="write everything found here too")
    parser.add_argument("--max-items", type=int, default=2000, help="recordings compared of each kind and split")
    parser.add_argument("--max-records", type=int, default=1500, help="records the probes see")
    parser.add_argument("--statistics", action="store_true", help="also prepare the data and check what was fitted")
    options = parser.parse_args(argv)
    for table in TABLES:
        if f"data={table}" in options.overrides:
            parser.error(
                f"data={table} is a table that no training run reads, without splits that could leak; "
                f"python -m datamodules.check data={table} paths.data_dir=DIR reads it and counts its rows"
            )
    try:
        cfg = compose_config(options.overrides)
        cohort: Cohort = instantiate(cfg.data.cohort, _convert_="all")
    except HydraException as error:  # of a word on the command line
        parser.error(str(error))
    found = audit(cohort, max_items=options.max_items, max_records=options.max_records)
    if options.statistics:
        found["findings"].append(fitted_outside_train(instantiate(cfg.data, _convert_="all")))
    leaks = [finding for finding in found["findings"] if finding.is_leak and finding.found]
    console = Console(width=None if sys.stdout.isatty() else 120)
    _show(console, cohort.name, found)
    if options.json is not None:
        found["findings"] = [finding._asdict() for finding in found["findings"]]
        options.json.write_text(json.dumps({"data": cohort.name, "is_leaking": bool(leaks), **found}, indent=1))
    return 1 if leaks else 0


def audit(cohort: Cohort, *, max_items: int, max_records: int) -> dict[str, object]:
    """Every check of every kind: ``records`` per split, ``findings``, ``probes``."""
    records = {split: cohort.records(split) for split in SPLITS}
    count = {split: len(own) for split, own in records.items()}
    probes = probe(records, list(cohort.targets), max_records)
    return {"records": count, "findings": find_leaks(records, max_items), "probes": probes}


def find_leaks(records: dict[str, list[HealthRecord]], max_items: int) -> list[Finding]:
    """Whatever two splits share: people and sources, equal recordings, nearly equal ones."""
    by_source = pieces(records, max_items)
    equal, pairs = same_bytes(by_source)
    return [shared_sources(records), equal, *near_duplicates(by_source, pairs)]


def probe(records: dict[str, list[HealthRecord]], targets: list[str], max_records: int) -> dict[str, object]:
    """Balanced accuracies of what should not tell the label, and of random against person splits; {} without labels."""
    both = [(record, split) for split in ("train", "test") for record in records[split]]
    chosen = np.random.default_rng(0).permutation(len(both))[:max_records]
    task = make_task([both[i][0] for i in sorted(chosen)], targets)
    if task is None:
        return {}
    split_of = {record.record_id: split for record, split in both}
    is_train = np.array([split_of[record.record_id] == "train" for record in task.records])
    if len(np.unique(task.classes[is_train])) < 2 or not (~is_train).any():
        return {}
    compared = inflation(task, is_train)
    random, grouped = compared.random, compared.grouped
    return {
        "head": task.head, "records": len(task.records), "chance": chance(task.classes),
        "from_names": from_names(task, is_train), "from_metadata": from_metadata(task, is_train),
        "random_split": [float(random.mean()), float(random.std())],
        "person_split": [float(grouped.mean()), float(grouped.std())],
        "person_split_is": "the cohort's own" if compared.is_own_split else f"{len(grouped)} draws of people",
        "inflation": float(random.mean() - grouped.mean()),
    }  # fmt: skip


def fitted_outside_train(data: HealthDataModule) -> Finding:
    """Modalities whose statistics differ from those that the train split alone gives."""
    data.setup()
    return compare_statistics(data)


def compare_statistics(data: HealthDataModule) -> Finding:
    """As ``fitted_outside_train``, of a data module that is set up."""
    differing = []
    for name, modality in data.modalities.items():
        fresh = copy.deepcopy(modality.prepare)
        parts = (record.parts.get(modality.source) for record in data.splits["train"])
        keys = sorted({key for part in parts if part is not None for key in [_key(part)]})
        fresh.fit(data.stores[name][key] for key in keys)
        if fresh.state() != modality.prepare.state():
            differing.append(name)
    return Finding("statistics fitted outside train", len(differing), len(data.modalities), differing, True)


def _key(part: object) -> str:
    return "|".join(photo.key for photo in part) if isinstance(part, tuple) else part.key


def _show(console: Console, name: str, found: dict[str, object]) -> None:
    table = Table("check", "found", "looked at", "examples", title=f"{name}: {found['records']} records")
    for finding in found["findings"]:
        colour = "red" if finding.is_leak and finding.found else "green"
        examples = escape("\n".join(finding.examples))
        table.add_row(finding.check, f"[{colour}]{finding.found}[/]", str(finding.looked_at), examples)
    console.print(table)
    probes = found["probes"]
    if not probes:
        return console.print("no label that a probe could tell: names, metadata and inflation were not looked at")
    told = Table("balanced accuracy of a probe", "value", title=f"{probes['head']}, {probes['records']} records")
    told.add_row("chance", f"{probes['chance']:.3f}")
    for what, key in (("letters of names", "from_names"), ("sizes, lengths, what is missing", "from_metadata")):
        readable = " [yellow]readable[/]" if probes[key] > probes["chance"] + READABLE else ""
        told.add_row(f"from {what}", f"{probes[key]:.3f}{readable}")
    told.add_row("content, random split", "{:.3f} ± {:.3f}".format(*probes["random_split"]))
    told.add_row(
        f"content, person split ({probes['person_split_is']})", "{:.3f} ± {:.3f}".format(*probes["person_split"])
    )
    told.add_row("inflation", f"{probes['inflation']:+.3f}")
    console.print(told)


if __name__ == "__main__":
    raise SystemExit(main())
