"""Frozen embeddings and hand features of composed records, one row a record and one matrix a group."""

# Shapes: B records, F features of one group.

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.progress import track

from datamodules.base import part_key
from datamodules.records import HealthRecord, Part
from datamodules.simulate.composed import ComposedCohort
from datamodules.transforms.audio import PrepareAudio
from datamodules.transforms.derive import DERIVATIONS
from datamodules.transforms.photo import PreparePhoto
from datamodules.transforms.signal import PrepareSignal
from datamodules.transforms.text import PrepareText
from fusion.batch import GROUPS, Stream
from fusion.encoders.bert_text import BertTextEncoder
from fusion.encoders.timm_image import TimmImageEncoder

VERSION = 2  # raise it when a feature changes, so that no old cache is read
MAX_TOKENS = 256  # as experiment=composed reads; so is the layer
TEXT_LAYER = 4
IMAGE_SIZE = 192  # the size of the photos at hand
SOURCES = {
    "heart_rate": ("ppg", "a.u."),
    "eda_tonic_phasic": ("eda", "uS"),
    "temperature": ("temperature", "degC"),
    "movement": ("acc", "g"),
}


def cohort_features(cohort: ComposedCohort, cache_dir: Path) -> dict[str, dict[str, np.ndarray]]:
    """{split: {group: (B, F) float32}} in the order of ``cohort.records(split)``; computed once per fingerprint."""
    path = cache_dir / f"composed-features-{VERSION}-{cohort.fingerprint}.npz"
    splits = ("train", "val", "test")
    if not path.is_file():
        records = [record for split in splits for record in cohort.records(split)]
        matrices = {group: _group_features(group, records) for group in GROUPS}
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half.npz")  # a kill leaves no half cache under the real name
        np.savez(half, **matrices)
        half.rename(path)
    bounds = np.cumsum([len(cohort.records(split)) for split in splits])[:-1]
    with np.load(path) as file:
        parts = {group: np.split(file[group], bounds) for group in GROUPS}
    return {split: {group: parts[group][i] for group in GROUPS} for i, split in enumerate(splits)}


def _group_features(group: str, records: list[HealthRecord]) -> np.ndarray:
    if group == "signals":
        return np.concatenate([_matrix(source, f, records) for source, f in signal_statistics()], axis=1)
    function = {"text": text_embedding, "photo": photo_embedding, "audio": sound_statistics}[group]
    return _matrix(group, function(), records)


def _matrix(source: str, function: Callable[[Part], np.ndarray], records: list[HealthRecord]) -> np.ndarray:
    """One row a record; each recording is computed once."""
    parts = {part_key(record.parts[source]): record.parts[source] for record in records}
    rows = {key: function(part) for key, part in track(parts.items(), f"features of {source}", transient=True)}
    return np.stack([rows[part_key(record.parts[source])] for record in records]).astype(np.float32)


def text_embedding() -> Callable[[Part], np.ndarray]:
    """MiniLM's hidden states after the layer that the model reads, averaged: (384,)."""
    prepare = PrepareText(weights="minilm", max_tokens=MAX_TOKENS)
    encoder = BertTextEncoder(
        dim=8, name="minilm", weights="pretrained", is_frozen=True, max_tokens=MAX_TOKENS, num_layers=TEXT_LAYER
    ).eval()
    return lambda part: _pooled(encoder, prepare(part))


def photo_embedding() -> Callable[[Part], np.ndarray]:
    """EfficientNet-Lite0's last map, averaged: (1280,)."""
    prepare = PreparePhoto(image_size=IMAGE_SIZE, max_photos=1)
    encoder = TimmImageEncoder(
        dim=8, name="efficientnet_lite0", weights="pretrained", is_frozen=True, image_size=IMAGE_SIZE
    ).eval()
    return lambda part: _pooled(encoder, prepare(part))


def sound_statistics() -> Callable[[Part], np.ndarray]:
    """Mean, spread and mean step of 48 log-mel bands within the cohort's band: (144,)."""
    prepare = PrepareAudio(
        rate_hz=16000, max_s=1.0, num_mels=48, window_s=0.032, hop_s=0.01, low_hz=100.0, high_hz=3000.0,
        is_equal_loudness=True,
    )  # fmt: skip

    def function(part: Part) -> np.ndarray:
        mel = prepare(part).values
        return np.concatenate([mel.mean(0), mel.std(0), np.abs(np.diff(mel, axis=0)).mean(0)])

    return function


def signal_statistics() -> list[tuple[str, Callable[[Part], np.ndarray]]]:
    """For every derived channel its spread, and mean, 10th and 90th percentile of its change from the person's rest."""
    return [(source, _statistics(derive, unit)) for derive, (source, unit) in SOURCES.items()]


def _statistics(derive: str, unit: str) -> Callable[[Part], np.ndarray]:
    channels = DERIVATIONS[derive].channels
    prepare = PrepareSignal(
        rate_hz=4.0, channels=channels, unit=unit, derive=derive, baseline="rest_reference", is_scaled=False
    )

    def function(part: Part) -> np.ndarray:
        values, valid, _ = prepare(part)
        if not valid.any():
            return np.zeros(4 * len(channels))  # no beat found: no change from rest is the neutral guess
        value, change = values[valid, : len(channels)], values[valid, len(channels) : 2 * len(channels)]
        return np.concatenate([value.std(0), change.mean(0), *np.percentile(change, [10, 90], axis=0)])

    return function


@torch.inference_mode()
def _pooled(encoder: BertTextEncoder | TimmImageEncoder, prepared: tuple[np.ndarray, ...]) -> np.ndarray:
    features = encoder.features(Stream(*(torch.from_numpy(np.asarray(part))[None] for part in prepared)))
    return features.values[features.valid].mean(0).numpy()
