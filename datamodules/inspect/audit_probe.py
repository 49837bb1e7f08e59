"""Ask cheap classifiers what they should not be able to tell, and what a random split would have promised.

The probe is no model of this project: hand-made features and extremely random trees, the same on both sides.
"""

# Shapes: R records, F features.

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from PIL import Image
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.pipeline import make_pipeline

from datamodules.records import Clip, HealthRecord, Note, Part, Signal
from datamodules.sets.likeness import read_sound

REPEATS = 5
NUM_TREES = 60  # a probe, not a result: enough to read what is plainly there
SOUND_HZ = 8000


class Task(NamedTuple):
    """What is predicted: ``classes`` (R,) ints of ``head``; records without a label are left out beforehand."""

    head: str
    records: list[HealthRecord]
    classes: np.ndarray


def make_task(records: list[HealthRecord], heads: list[str]) -> Task | None:
    """The first head with classes; else the first number of a head, above or below its median; None without labels."""
    others = sorted({head for record in records for head in record.targets} - set(heads))
    for kind in (int | np.integer, float | np.ndarray):  # classes before numbers
        for head in [*heads, *others]:
            labelled = [record for record in records if isinstance(record.targets.get(head), kind)]
            labelled = [record for record in labelled if np.isfinite(np.ravel(record.targets[head])[:1]).all()]
            first = np.array([np.ravel(record.targets[head])[0] for record in labelled])
            if kind == float | np.ndarray and len(first):
                first, head = (first > np.median(first)).astype(int), f"{head} above its median"
            if len(np.unique(first)) > 1:
                return Task(head, labelled, first.astype(int))
    return None


def from_names(task: Task, is_train: np.ndarray) -> float:
    """Balanced accuracy on the other records of letters in record names and file names."""
    names = [" ".join([r.record_id, *(_key(part) for part in r.parts.values())]) for r in task.records]
    probe = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(2, 4), max_features=5000), LogisticRegression(max_iter=500)
    )
    probe.fit([n for n, train in zip(names, is_train, strict=True) if train], task.classes[is_train])
    told = probe.predict([n for n, train in zip(names, is_train, strict=True) if not train])
    return float(balanced_accuracy_score(task.classes[~is_train], told))


def from_metadata(task: Task, is_train: np.ndarray) -> float:
    """Balanced accuracy of sizes, rates, lengths and what is missing; no content is looked at."""
    return _trees(_table([_metadata(record) for record in task.records]), task.classes, is_train)


class Inflation(NamedTuple):
    """Balanced accuracies of one probe, (REPEATS,) each; ``grouped`` is the cohort's own split where groups are one."""

    random: np.ndarray
    grouped: np.ndarray
    is_own_split: bool


def inflation(task: Task, is_train: np.ndarray) -> Inflation:
    """Random split of records against a split of people (all records that share a source move together)."""
    table = _table([_content(record) for record in task.records])
    notes = [" ".join(p.text for p in r.parts.values() if isinstance(p, Note)) for r in task.records]
    groups, share = _components(task.records), float((~is_train).mean())
    rows = np.arange(len(groups))

    def score(train_rows: np.ndarray) -> float:
        chosen = np.isin(rows, train_rows)
        return _trees(np.hstack([table, _words(notes, chosen)]), task.classes, chosen)

    random = [score(train) for train, _ in ShuffleSplit(REPEATS, test_size=share, random_state=0).split(rows)]
    if np.bincount(groups).max() > 0.5 * len(groups):  # composed records hang together through their sources
        return Inflation(np.array(random), np.array([score(np.flatnonzero(is_train))]), True)
    grouped = GroupShuffleSplit(REPEATS, test_size=share, random_state=0).split(rows, groups=groups)
    return Inflation(np.array(random), np.array([score(train) for train, _ in grouped]), False)


def chance(classes: np.ndarray) -> float:
    """Balanced accuracy of saying always the same."""
    return 1 / len(np.unique(classes))


def _trees(table: np.ndarray, classes: np.ndarray, is_train: np.ndarray) -> float:
    if not table.shape[1]:  # a few short texts share no word
        return chance(classes)
    middle = np.nanmedian(np.where(np.isfinite(table[is_train]), table[is_train], np.nan), axis=0)
    filled = np.where(np.isfinite(table), table, np.nan_to_num(middle))
    probe = ExtraTreesClassifier(NUM_TREES, class_weight="balanced", min_samples_leaf=2, random_state=0)
    probe.fit(filled[is_train], classes[is_train])
    return float(balanced_accuracy_score(classes[~is_train], probe.predict(filled[~is_train])))


def _words(notes: list[str], is_train: np.ndarray) -> np.ndarray:
    """(R, 32) directions of word counts, learned from the train rows only."""
    if sum(map(bool, notes)) < 40:
        return np.zeros((len(notes), 0))
    vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True)
    train = vectorizer.fit_transform([note for note, chosen in zip(notes, is_train, strict=True) if chosen])
    svd = TruncatedSVD(min(32, train.shape[1] - 1), random_state=0).fit(train)
    return svd.transform(vectorizer.transform(notes))


def _table(rows: list[dict[str, float]]) -> np.ndarray:
    """(R, F) of every name that any row has, NaN where a row lacks it; then for those whether it has it."""
    names = sorted({name for row in rows for name in row})
    values = np.array([[row.get(name, np.nan) for name in names] for row in rows], dtype=np.float64)
    is_there = np.isfinite(values)
    return np.hstack([values.clip(-1e30, 1e30), is_there[:, ~is_there.all(axis=0)]])


def _metadata(record: HealthRecord) -> dict[str, float]:
    row: dict[str, float] = {}
    for source, part in record.parts.items():
        about: dict[str, float] = {"is_there": 1.0}
        if isinstance(part, Signal):
            missing = float((~np.isfinite(part.values)).mean())
            about |= {"rate": part.rate_hz, "samples": len(part.values), "start": part.start_s, "missing": missing}
        elif isinstance(part, Clip):
            info = soundfile.info(part.sound) if isinstance(part.sound, Path) else None
            about |= {"samples": info.frames if info else len(part.sound), "rate": info.samplerate if info else 0.0}
            about["bytes"] = part.sound.stat().st_size if info else 0.0
        elif isinstance(part, Note):
            about["letters"] = len(part.text)
        else:
            with Image.open(part[0].image if isinstance(part[0].image, Path) else io.BytesIO(part[0].image)) as image:
                about |= {"photos": len(part), "width": image.width, "height": image.height}
            about["bytes"] = part[0].image.stat().st_size if isinstance(part[0].image, Path) else len(part[0].image)
        row |= {f"{source} {name}": float(value) for name, value in about.items()}
    return row


def _content(record: HealthRecord) -> dict[str, float]:
    """Hand-made features of everything but words."""
    row: dict[str, float] = {}
    for source, part in record.parts.items():
        if isinstance(part, Signal):
            features = np.concatenate([_signal_features(column) for column in part.values.T])
        elif isinstance(part, Clip):
            features = _sound_features(read_sound(part, SOUND_HZ))
        elif isinstance(part, tuple):
            features = _photo_features(part)
        else:
            continue
        row |= {f"{source} {i}": float(value) for i, value in enumerate(features)}
    return row


def _signal_features(column: np.ndarray) -> np.ndarray:
    known = column[np.isfinite(column)].astype(np.float64)
    if len(known) < 4:
        return np.full(13, np.nan)
    steps, centred = np.diff(known), known - known.mean()
    power = np.abs(np.fft.rfft(centred)) ** 2
    bands = [band.sum() for band in np.array_split(power[1:], 4)]
    share = np.array(bands) / max(sum(bands), 1e-12)
    return np.concatenate(
        [
            [known.mean(), known.std()],
            np.percentile(known, [5, 25, 50, 75, 95]),
            [np.abs(steps).mean(), steps.std()],
            share,
        ]
    )


def _sound_features(samples: np.ndarray) -> np.ndarray:
    """Log power in 24 bands: mean and spread over time, loudness removed."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 512)[::256] if len(samples) >= 512 else samples[None]
    power = np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]))) ** 2
    edges = np.unique(np.geomspace(2, power.shape[1], 25).astype(int))
    level = np.log(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1) + 1e-9)
    return np.concatenate([level.mean(axis=0) - level.mean(), level.std(axis=0)])


def _photo_features(photos: Part) -> np.ndarray:
    """Colours of an 8 x 8 thumbnail and their histogram."""
    first = photos[0].image
    with Image.open(first if isinstance(first, Path) else io.BytesIO(first)) as image:
        image.draft("RGB", (64, 64))
        pixels = np.asarray(image.convert("RGB").resize((32, 32)), np.float64) / 255
    thumbnail = pixels.reshape(8, 4, 8, 4, 3).mean(axis=(1, 3)).ravel()
    histogram = np.concatenate([np.histogram(pixels[..., c], 8, (0, 1))[0] for c in range(3)])
    return np.concatenate([thumbnail, histogram])


def _components(records: list[HealthRecord]) -> np.ndarray:
    """(R,) numbers of groups: records that share any person or source, directly or through others, are one group."""
    parent = list(range(len(records)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    having: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, record in enumerate(records):
        for source in {"person": record.person_id, **record.sources}.items():
            having[source].append(i)
    for members in having.values():
        for member in members[1:]:
            parent[root(member)] = root(members[0])
    return np.unique([root(i) for i in range(len(records))], return_inverse=True)[1]


def _key(part: Part) -> str:
    return " ".join(photo.key for photo in part) if isinstance(part, tuple) else part.key
