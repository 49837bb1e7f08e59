"""From a cohort of records to the batches of every split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
from torch.utils.data import DataLoader

from datamodules.cohort import Cohort
from datamodules.collate import collate
from datamodules.dataset import RecordDataset, unlabelled
from datamodules.features import run_backbone
from datamodules.lookahead import LookAhead
from datamodules.modality import Modality
from datamodules.preparation import Preparation
from datamodules.records import HealthRecord, Note, Part
from datamodules.sampler import CountedSampler
from datamodules.store import PreparedStore, build_store
from datamodules.tags import PieceTags
from datamodules.transforms.base import Prepared
from fusion.batch import GROUPS, Batch, Stream
from fusion.plan.context import PlanContext
from fusion.targets import Target

SPLITS = ("train", "val", "test")


class Row(NamedTuple):
    """One row of the results table: ``records`` with only the modalities in ``shown``."""

    name: str
    shown: list[str]
    records: list[HealthRecord]


class HealthDataModule(pl.LightningDataModule):
    """Prepare a cohort's records once and serve them.

    ``targets``: by name, what records are labelled with (arguments of fusion.targets.Target.declare); the cohort must
    declare the same. ``answered``: the targets that this run's heads answer. ``modality_dropout``: chance that training
    hides a group of a record. ``is_testing_streams`` adds a row per single stream to the test. ``name``: what messages
    call the data where one cohort reads several sets; "" = the cohort's own name.
    ``num_train_records``: train on the first so many, None = all; statistics and class weights are of all either way.
    ``is_augmented`` False leaves every modality's ``augment`` out.
    """

    def __init__(
        self, *, cohort: Cohort, targets: dict[str, dict], modalities: dict[str, Modality], answered: list[str],
        batch_size: int, eval_batch_size: int, num_workers: int, modality_dropout: float, is_testing_streams: bool,
        cache_dir: str, seed: int, name: str = "", num_train_records: int | None = None, is_augmented: bool = True,
    ):  # fmt: skip
        super().__init__()
        self.cohort, self.modalities, self.answered = cohort, modalities, list(answered)
        self.targets = {name: Target.declare(name, **declared) for name, declared in targets.items()}
        self.name = name or cohort.name
        self.batch_size, self.eval_batch_size, self.num_workers = batch_size, eval_batch_size, num_workers
        self.modality_dropout, self.is_testing_streams = modality_dropout, is_testing_streams
        self.cache_dir, self.seed = Path(cache_dir), seed
        self.num_train_records, self.is_augmented = num_train_records, is_augmented
        self.splits: dict[str, list[HealthRecord]] = {}
        self.stores: dict[str, PreparedStore] = {}
        self.featured: set[str] = set()
        self.preparation = Preparation(modalities, recall=self._recall, featured=self.featured)
        self._resumed: dict[str, int] = {}
        self._train_sampler: CountedSampler | None = None
        self._check()
        self.tags = self._tags()

    def _check(self) -> None:
        if not self.modalities:
            raise ValueError("data.modalities is empty; choose some, e.g. modality=[text,ppg]")
        for name in self.answered:
            if name not in self.targets:
                raise ValueError(
                    f"a head answers {name!r}, but data {self.name!r} label only {sorted(self.targets)}; remove the "
                    f"head from head=[...] or choose another data=..."
                )
        for name, target in self.cohort.targets.items():
            if self.targets.get(name, target) != target:
                raise ValueError(
                    f"target {name!r}: the data yaml says {self.targets[name]}, {self.name!r} says {target}; "
                    f"fix data.targets.{name}"
                )

    def setup(self, stage: str | None = None) -> None:
        """Read the records, prepare every stream (from the cache where it is there) and fit the statistics on train."""
        if self.splits:
            return
        self.splits = {split: self.cohort.records(split) for split in SPLITS}
        num_records = len(self.splits["train"])
        if self.num_train_records is not None and not 0 < self.num_train_records <= num_records:
            raise ValueError(
                f"data.num_train_records is {self.num_train_records}, but {self.name!r} has {num_records} train "
                f"records; set a number from 1 to that, or null for all"
            )
        for name, modality in self.modalities.items():
            parts = {key: part for split in SPLITS for key, part in self._parts(name, split)}
            if not parts:
                raise ValueError(f"no record of {self.name!r} has {modality.source!r}; drop modality {name!r}")
            settings = {"cohort": self.cohort.fingerprint, **modality.prepare.settings}
            prepare = partial(_prepare, modality, parts)
            self.stores[name] = build_store(self.cache_dir, name, settings, sorted(parts), prepare)
            train_keys = sorted({key for key, _ in self._parts(name, "train")})
            modality.prepare.fit(self.stores[name][key] for key in train_keys)

    def cache_features(self, name: str, identity: object, features: Callable[[Stream], Stream]) -> None:
        """Replace the stream ``name`` by its frozen encoder's features; ``identity`` names encoder and weights."""
        if self.modalities[name].augment is not None:
            raise ValueError(
                f"features of {name!r} cannot be cached while it is augmented; set data.modalities.{name}.augment=null "
                f"or finetune.is_cached=false"
            )
        store = self.stores[name]
        settings = {
            "stream": self.modalities[name].prepare.settings,
            "encoder": identity,
            "of": self.cohort.fingerprint,
        }
        compute = partial(run_backbone, store, self.eval_batch_size, features)
        self.stores[name] = build_store(self.cache_dir, f"{name}-features", settings, list(store.keys), compute)
        self.featured.add(name)

    @property
    def groups(self) -> list[str]:
        """Groups of the configured modalities, in the order of every table."""
        return [group for group in GROUPS if any(m.group == group for m in self.modalities.values())]

    def class_counts(self, target: str) -> list[int]:
        """Train records per class of ``target``."""
        labels = [record.targets[target] for record in self.splits["train"] if record.targets.get(target) is not None]
        return np.bincount(labels, minlength=len(self.targets[target].names)).tolist()

    def train_values(self, target: str) -> np.ndarray:
        """(N, ...) of every train record, unlabelled ones included: what a head takes its statistics from."""
        blank = unlabelled(self.targets[target])
        return np.stack([np.asarray(record.targets.get(target, blank)) for record in self.splits["train"]])

    def sources(self, split: str) -> dict[str, dict[str, str]]:
        """By record id, what a bootstrap resamples: every source the record names, else its person."""
        return {r.record_id: r.sources or {"person": r.person_id} for r in self.splits[split]}

    def descriptions(self, split: str) -> dict[str, str]:
        """By record id, what the person gave, in words."""
        return {record.record_id: _describe(record) for record in self.splits[split]}

    def test_rows(self) -> list[Row]:
        """Rows of the results table that have at least one record.

        as_recorded: every record with what it has. all and every smaller subset of groups: the records that have all of
        its groups, the rest hidden. prior: every record, everything hidden.
        """
        records = self.splits["test"]
        groups = self.groups
        subsets = [subset for size in range(len(groups), 0, -1) for subset in combinations(groups, size)]
        rows = [Row("as_recorded", list(self.modalities), records), Row("prior", [], records)]
        for subset in subsets:
            shown = [name for name, modality in self.modalities.items() if modality.group in subset]
            having = [record for record in records if self.present(record) >= set(subset)]
            rows.append(Row("all" if len(subset) == len(groups) else "+".join(subset), shown, having))
        if self.is_testing_streams:
            for name in self.modalities:
                having = [record for record in records if self.preparation.prepared(name, record) is not None]
                rows.append(Row(f"stream:{name}", [name], having))
        return [row for row in rows if row.records]

    def state_dict(self) -> dict[str, int]:
        """What a checkpoint says about the data: where in which epoch, and everything that decides the order."""
        epochs, batches = self.trainer.fit_loop.epoch_progress.current, self.trainer.fit_loop.epoch_loop.batch_progress
        is_between_epochs = epochs.started == epochs.processed
        num_batches = 0 if is_between_epochs else batches.current.processed
        return {"epoch": epochs.processed, "num_batches": num_batches, **self._order()}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Begin where the checkpoint was. Sharding strategies restore late, when the train loader is made already."""
        self._resumed = state_dict
        if self._train_sampler is not None:
            self._resume(self._train_sampler)

    def _resume(self, sampler: CountedSampler) -> None:
        for name, now in self._order().items():
            if self._resumed[name] != now:
                raise ValueError(
                    f"cannot resume: the checkpoint was made with {name}={self._resumed[name]}, now it is {now}, "
                    f"so the records would come in another order; set it back or start with resume=never"
                )
        sampler.resume(self._resumed["epoch"], self._resumed["num_batches"] * self.batch_size)

    def _order(self) -> dict[str, int]:
        world_size = self.trainer.world_size if self.trainer else 1
        num_records = len(self._train_records())
        return {"seed": self.seed, "batch_size": self.batch_size, "ranks": world_size, "train records": num_records}

    def _train_records(self) -> list[HealthRecord]:
        return self.splits.get("train", [])[: self.num_train_records]

    def train_dataloader(self) -> DataLoader | LookAhead:
        dataset = self._dataset(self._train_records(), dropout=self.modality_dropout, is_augmented=self.is_augmented)
        loader = self._loader(dataset, self.batch_size, is_train=True)
        self._train_sampler = loader.sampler
        if self._resumed:
            self._resume(loader.sampler)
        num_batches = self.trainer.accumulate_grad_batches if self.trainer else 1
        return loader if num_batches == 1 else LookAhead(loader, num_batches)

    def val_dataloader(self) -> DataLoader:
        return self._loader(self._dataset(self.splits["val"], read_context=self.context_reader()), self.eval_batch_size)

    def test_dataloader(self) -> list[DataLoader]:
        """One loader per row of ``test_rows``."""
        reader = self.context_reader()
        datasets = [self._dataset(row.records, keep=row.shown, read_context=reader) for row in self.test_rows()]
        return [self._loader(dataset, self.eval_batch_size) for dataset in datasets]

    def present(self, record: HealthRecord) -> set[str]:
        """Groups of which the record has at least one usable stream."""
        return {self.modalities[name].group for name in self.preparation.present(record)}

    def context_reader(self) -> Callable[[HealthRecord, Iterable[str]], PlanContext] | None:
        """What reads the contexts of plans, where plans are written; nothing else asks for them."""
        is_planning = any(self.targets[name].kind == "plan" for name in self.answered)
        return self.preparation.context if is_planning else None

    def _recall(self, name: str, part: Part) -> Prepared:
        return self.stores[name][part_key(part)]

    def _parts(self, name: str, split: str) -> Iterator[tuple[str, Part]]:
        source = self.modalities[name].source
        return ((part_key(r.parts[source]), r.parts[source]) for r in self.splits[split] if source in r.parts)

    def _dataset(self, records: list[HealthRecord], **settings: object) -> RecordDataset:
        return RecordDataset(
            records=records, modalities=self.modalities, lookup=self.preparation.scaled, tags=self.tags,
            targets={name: self.targets[name] for name in self.answered}, **settings,
        )  # fmt: skip

    def _tags(self) -> dict[str, PieceTags]:
        """By target of spans that this run answers, its tags over the word pieces of the text."""
        tagged = [name for name in self.answered if self.targets[name].kind == "spans"]
        texts = [modality.prepare for modality in self.modalities.values() if modality.source == "text"]
        if tagged and not texts:
            raise ValueError(f"target {tagged[0]!r} tags text, but no modality reads it; add text to modality=[...]")
        return {name: PieceTags(classes=self.targets[name].names, prepare=texts[0]) for name in tagged}

    def _loader(self, dataset: RecordDataset, batch_size: int, is_train: bool = False) -> DataLoader:
        rank, world_size = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        sampler = CountedSampler(
            num_records=len(dataset), seed=self.seed, is_train=is_train, rank=rank, world_size=world_size
        )
        return DataLoader(
            dataset, batch_size=batch_size, sampler=sampler, num_workers=self.num_workers, drop_last=False,
            collate_fn=self.collate_fn(), persistent_workers=self.num_workers > 0,
        )  # fmt: skip

    def collate_fn(self) -> Callable[[list], Batch]:
        absent = {}
        for name, modality in self.modalities.items():
            absent[name] = modality.prepare.absent()
            if name in self.featured:
                values, valid, time_s = self.stores[name][next(iter(self.stores[name].keys))]
                absent[name] = Prepared(values[:1] * 0, valid[:1] & False, time_s[:1] * 0)
        return partial(collate, absent=absent)


def part_key(part: Part) -> str:
    """The name under which a recording's prepared stream is cached."""
    return "|".join(photo.key for photo in part) if isinstance(part, tuple) else part.key


def _prepare(modality: Modality, parts: dict[str, Part]) -> Iterator[tuple[str, Prepared]]:
    return ((key, modality.prepare(part)) for key, part in parts.items())


def _describe(record: HealthRecord) -> str:
    parts = [f"text: {part.text}" if isinstance(part, Note) else name for name, part in record.parts.items()]
    return ", ".join(parts) or "nothing"
