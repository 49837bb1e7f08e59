"""Records composed of real recordings of four kinds, because no public set has all four of the same people.

Each part is real; that they stand side by side in one record is not. The rule that gives the state from what the parts
show is datamodules/rule.py; docs/cohorts.md prints it with its ceilings.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from datamodules.records import HealthRecord, Note
from datamodules.rule import GROUP_OF, LATENTS, NOISE, STATES, Cell, bayes_ceiling, findings, sample_cells, state_of
from datamodules.sets.content import contents
from datamodules.simulate.composed_sources import SOUND_S, Item, read_items
from datamodules.simulate.profile import GOALS, profile_sentence, sample_profile
from datamodules.simulate.targets import RULE_TARGETS
from fusion.plan import Facts
from fusion.plan.knowledge.foods import groups_in

VERSION = 3  # raise it when the same data and settings give other records
DATASETS = ("stress_predict", "emodb", "snoring_khan", "food101_10", "dreaddit")


class ComposedCohort:
    """Draw a cell of the rule, then one real recording for each of its four values.

    ``split``: which of three source-disjoint splits; ``num_*``: records of each part, ``window_s``: seconds of signals.
    A value's recordings are drawn source first (person, speaker), then the recording, each going round evenly.
    Nothing is read before it is asked for. ValueError where a set is missing under ``data_dir``.
    """

    name = "composed"
    targets: ClassVar = RULE_TARGETS

    def __init__(
        self, *, data_dir: Path | str | None, split: int, seed: int = 0, num_train: int = 3000, num_val: int = 750,
        num_test: int = 1500, window_s: float = 180.0,
    ) -> None:  # fmt: skip
        if split not in (0, 1, 2):
            raise ValueError(f"composed cohort has splits 0, 1 and 2, got {split!r}; set data.cohort.split")
        self._data_dir = data_dir
        self.split = split
        self.seed = seed
        self.window_s = window_s
        self.num = {"train": num_train, "val": num_val, "test": num_test}

    @property
    def data_dir(self) -> Path:
        """The folder that holds one folder per set."""
        if self._data_dir is None or not Path(self._data_dir).is_dir():
            raise ValueError(
                f"composed cohort needs the sets {', '.join(DATASETS)} as folders of one directory, got "
                f"{str(self._data_dir)!r}, which is none; set paths.data_dir"
            )
        return Path(self._data_dir)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the settings and of the name and content of every file of the five sets, taken once."""
        settings = [VERSION, self.split, self.seed, self.window_s, self.num]
        files = [(dataset, contents(self.data_dir / dataset)) for dataset in DATASETS]
        return hashlib.sha256(json.dumps([settings, files]).encode()).hexdigest()[:16]

    def records(self, split: str) -> list[HealthRecord]:
        """The records of "train", "val" or "test", in an order of their own that is always the same."""
        if split not in self.num:
            raise ValueError(f"split is {split!r}, expected one of {list(self.num)}")
        return self._records[split]

    def ceiling(self) -> dict[str, dict[str, dict[str, float]]]:
        """What knowing the latents of a subset of groups exactly would give; real perception is below it."""
        return {"health_state": bayes_ceiling(NOISE["composed"])}

    @cached_property
    def _records(self) -> dict[str, list[HealthRecord]]:
        items = read_items(self.data_dir, split=self.split, seed=self.seed, window_s=self.window_s)
        return {part: self._compose(part, items[part]) for part in self.num}

    def _compose(self, part: str, items: list[Item]) -> list[HealthRecord]:
        rng = np.random.default_rng([self.seed, self.split, list(self.num).index(part)])
        decks = {
            (latent, value): _deal([i for i in items if (i.latent, i.value) == (latent, value)], rng)
            for latent, values in LATENTS.items()
            for value in values
        }
        cells = sample_cells(self.num[part], rng)
        names = [f"{self.name}-{self.split}-{part}-{number:05d}" for number in range(len(cells))]
        return [
            self._record(name, cell, {latent: next(decks[latent, cell[latent]]) for latent in LATENTS}, part, rng)
            for name, cell in zip(names, cells, strict=True)
        ]

    def _record(
        self, name: str, cell: Cell, items: dict[str, Item], part: str, rng: np.random.Generator
    ) -> HealthRecord:
        profile = sample_profile(rng)
        post: Note = items["words"].parts["text"]
        # the profile comes first: a text encoder cuts long posts at their end
        said = f"{profile_sentence(profile, rng, split=part)} {post.text}"
        parts = {source: p for item in items.values() for source, p in item.parts.items()}
        state = state_of(cell)
        heart_rate_bpm = items["body"].heart_rate_bpm
        shown = findings(cell, heart_rate_bpm=heart_rate_bpm, window_s=self.window_s, clip_s=SOUND_S)
        return HealthRecord(
            record_id=name,
            person_id=items["body"].source,
            parts=parts | {"text": replace(post, key=f"{post.key}/{name}", text=said)},
            targets={
                "goal": list(GOALS).index(profile.goal),
                "health_state": STATES.index(state),
                **{latent: LATENTS[latent].index(cell[latent]) for latent in LATENTS},
                "plan": Facts(state=state, findings=shown, named_foods=groups_in(said), **profile.facts()),
            },
            sources={GROUP_OF[latent]: item.source for latent, item in items.items()},
        )


def _deal(items: list[Item], rng: np.random.Generator) -> Iterator[Item]:
    """Endlessly: a source, then one of its items; every source, and every item of it, once before any comes again."""
    by_source = defaultdict(list)
    for item in items:
        by_source[item.source].append(item)
    if not by_source:
        return
    hands = {source: _shuffled(own, rng) for source, own in by_source.items()}
    for source in _shuffled(list(hands), rng):
        yield next(hands[source])


def _shuffled(things: list, rng: np.random.Generator) -> Iterator:
    while True:
        yield from (things[i] for i in rng.permutation(len(things)))
