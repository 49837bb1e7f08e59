"""Write the card of every public set: ``python -m datamodules.cards --data-dir DIR > docs/datasets.md``.

A card is the docstring of the cohort beside what its yaml says; with ``--data-dir`` also counts and target balance.
"""

from __future__ import annotations

import argparse
import inspect
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from datamodules.fetch.command import HOMES, read_homes
from datamodules.inspect.public import SETS, TABLES, build_cohort, public_sets, read_config
from datamodules.records import HealthRecord
from datamodules.splits import SPLITS
from fusion.targets import Target

NUM_SHOWN = 12  # classes of a balance; more are summed up
HEADER = """# The public sets

Written by `python -m datamodules.cards --data-dir DIR > docs/datasets.md`; do not edit by hand.

Every set trains with `python train.py data=NAME paths.data_dir=DIR`, where DIR holds one folder per set as
`python -m datamodules.fetch NAME --to DIR --accept-licence --allow-unverified` leaves it. Read first what
`python -m datamodules.fetch list` shows: home, hosts the files come from, licence.
{num_known} of the {num_files} files have a known sha256; without `--allow-unverified` come the sets of which every file
has one: {verified}. `ucr` is not fetched: it comes with the package aeon.

`python -m datamodules.check data=NAME paths.data_dir=DIR` reads a set to its last byte,
`python -m datamodules.audit data=NAME paths.data_dir=DIR` looks for leaks ([audits.md](audits.md)). Where people are
known, none is in two parts, nor is a speaker, object or dialogue; a card says where they are not known. "From memory"
marks published numbers that could not be looked up again. Counts are of the copy at hand, which keeps a final test part
aside: they are smaller than the published sets, and split as the card says for a copy without the official test part.
"""


def cards(data_dir: Path | None) -> Iterator[str]:
    """The page, block by block."""
    yield header()
    for name in public_sets():
        yield card(name, read_config(name), data_dir)
    yield "## Tables that no training run reads\n"
    for name in TABLES:
        yield f"**{name}.** {import_module(f'{SETS}{name}').__doc__.strip()}\n"


def header() -> str:
    """What holds of every set, with the count of files whose sha256 is known."""
    homes = read_homes(HOMES)
    known = {name: [file.sha256 is not None for file in home.files] for name, home in homes.items()}
    files = [one for own in known.values() for one in own]
    verified = ", ".join(f"`{name}`" for name, own in known.items() if all(own))
    return HEADER.format(num_known=sum(files), num_files=len(files), verified=verified)


def card(name: str, cfg: DictConfig, data_dir: Path | None) -> str:
    """One set: what it is, what reads and answers it, and what its parts hold."""
    about = inspect.getdoc(get_class(cfg.data.cohort._target_))
    declared = OmegaConf.to_container(cfg.data.targets, resolve=True)
    targets = {name: Target.declare(name, **node) for name, node in declared.items()}
    modalities, heads = (", ".join(f"`{key}`" for key in node) for node in (cfg.data.modalities, cfg.model.heads))
    lines = [f"## {name}\n", f"{about}\n", f"Modalities: {modalities}. Heads: {heads}.\n"]
    lines += [
        f"* `{name}` ({t.kind}{f', {t.unit}' if t.unit else ''}): {_listed(t.names)}" for name, t in targets.items()
    ]
    if data_dir is not None:
        cohort = build_cohort(cfg, data_dir)
        try:
            parts = {part: cohort.records(part) for part in SPLITS}
        except ValueError as error:  # not every machine has every set
            print(f"{name}: no balance, {error}", file=sys.stderr)
        else:
            lines += ["", *balance(parts, targets)]
    return "\n".join(lines) + "\n"


def balance(parts: dict[str, list[HealthRecord]], targets: dict[str, Target]) -> Iterator[str]:
    """A table: records, sources and labels of every part of split 0."""
    yield f"| split 0 | {' | '.join(parts)} |"
    yield "|---|" + "---|" * len(parts)
    yield _row("records", [len(records) for records in parts.values()])
    yield _row("people or sources", [len({r.person_id for r in records}) for records in parts.values()])
    for name, (kind, names, _) in targets.items():
        given = {part: [r.targets[name] for r in own if name in r.targets] for part, own in parts.items()}
        if kind in ("classes", "ordinal"):
            counts = {part: Counter(values) for part, values in given.items()}
            for i, label in enumerate(names[:NUM_SHOWN]):
                yield _row(f"{name}: {label}", [count[i] for count in counts.values()])
            if len(names) > NUM_SHOWN:
                rest = [sum(n for i, n in count.items() if i >= NUM_SHOWN) for count in counts.values()]
                yield _row(f"{name}: {len(names) - NUM_SHOWN} others", rest)
        elif kind == "numbers":
            for i, number in enumerate(names):
                yield _row(f"{name}: {number}", [_spread([value[i] for value in own]) for own in given.values()])


def _row(name: str, cells: list) -> str:
    return f"| {name} | {' | '.join(map(str, cells))} |"


def _spread(numbers: list[float]) -> str:
    known = np.array(numbers)[np.isfinite(numbers)]
    return f"{known.mean():.3g} ± {known.std():.3g} (n = {len(known)})" if len(known) else "-"


def _listed(classes: list[str]) -> str:
    shown = ", ".join(classes[:NUM_SHOWN])
    return shown if len(classes) <= NUM_SHOWN else f"{shown}, ... ({len(classes)})"


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m datamodules.cards", description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, help="the directory that holds one folder per public set")
    given = parser.parse_args(arguments)
    print("\n".join(cards(given.data_dir)))
    return 0


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # what readers say of single files is in the cards
    sys.exit(main(sys.argv[1:]))
