"""The real recordings behind the composed cohort, by what each shows and by the split its source belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from scipy.signal import butter, sosfiltfilt

from datamodules.records import Clip, Part
from datamodules.sets.dreaddit import read_dreaddit
from datamodules.sets.emodb import read_emodb
from datamodules.sets.food101_10 import read_food101_10
from datamodules.sets.likeness import joined
from datamodules.sets.snoring_khan import read_snoring_khan
from datamodules.sets.stress_predict import REST, STRESS, Session, read_stress_predict
from datamodules.splits import split_sources
from datamodules.transforms.derive import heart_rate

TEST, VAL = 0.26, 0.15  # of the sources: 7 and 4 of 27 people, 2 and 1 of 8 speakers
STRIDE_S = 15  # between the starts of neighbouring windows: about 140 windows a person
NUM_REFERENCES = 4
REFERENCE_GAP_S = 300.0  # between the nearest ends of a window and of its rest references
MIN_CONFIDENCE = 0.7  # share of annotators who agree on a post

VOICE = {
    "calm": ("neutral", "boredom", "happiness"),
    "distressed": ("fear", "anger", "sadness", "disgust"),
}
MEAL = {
    "dessert": ("apple_pie", "baklava", "beignets", "bread_pudding"),
    "heavy": ("baby_back_ribs", "breakfast_burrito"),
    "lean": ("beef_carpaccio", "beef_tartare"),
    "vegetable": ("beet_salad", "bibimbap"),
}

# Every sound is cut and levelled alike: length, loudness and bandwidth would each give the class away.
SOUND_S = 1.0
SOUND_BAND_HZ = (100.0, 3000.0)
SOUND_RMS = 0.05  # of full scale; leaves room for a crest of 20


class Item(NamedTuple):
    """One recording showing one ``value`` of one ``latent``; ``source`` is the person, speaker, photo, clip or post."""

    latent: str
    value: str
    source: str
    parts: dict[str, Part]
    heart_rate_bpm: float | None = None


def read_items(data_dir: Path, *, split: int, seed: int, window_s: float) -> dict[str, list[Item]]:
    """{"train" | "val" | "test": items} of all five sets under ``data_dir``; no source is in two parts."""
    items: dict[str, list[Item]] = {"train": [], "val": [], "test": []}
    settings = {"split": split, "seed": seed, "test": TEST, "val": VAL}
    for strata, found in _sets(data_dir, seed, window_s):
        part_of = split_sources(strata, **settings)
        for item in found:
            items[part_of[item.source]].append(item)
    return items


def _sets(data_dir: Path, seed: int, window_s: float) -> Iterator[tuple[dict[str, str], list[Item]]]:
    """Groups of sources that are split as one: (source -> stratum, items)."""
    sessions = read_stress_predict(data_dir)
    yield {s.person_id: "" for s in sessions}, [item for s in sessions for item in body_items(s, seed, window_s)]

    utterances = read_emodb(data_dir)
    value_of = {emotion: value for value, emotions in VOICE.items() for emotion in emotions}
    yield (
        {u.speaker: u.gender for u in utterances},
        [Item("sound", value_of[u.emotion], u.speaker, {"audio": level_sound(u.clip)}) for u in utterances],
    )

    sounds = [(sound, level_sound(sound.clip)) for sound in read_snoring_khan(data_dir)]
    sounds = [(sound, clip) for sound, clip in sounds if clip is not None]
    for is_snoring, value in ((True, "snoring"), (False, "other")):
        chosen = [(sound, clip) for sound, clip in sounds if sound.is_snoring == is_snoring]
        kinds = {sound.source: sound.kind for sound, _ in chosen}
        yield _joined(kinds, [Item("sound", value, sound.source, {"audio": clip}) for sound, clip in chosen], "audio")

    dishes = read_food101_10(data_dir)
    value_of = {name: value for value, names in MEAL.items() for name in names}
    items = [Item("meal", value_of[d.name], d.photo.key, {"photo": (d.photo,)}) for d in dishes]
    yield _joined({d.photo.key: d.name for d in dishes}, items, "photo")

    posts = [post for post in read_dreaddit(data_dir) if post.confidence >= MIN_CONFIDENCE]
    words = {True: "stressed", False: "calm"}
    items = [Item("words", words[post.is_stressed], post.source, {"text": post.note}) for post in posts]
    yield _joined({post.source: "" for post in posts}, items, "text")


def _joined(strata: dict[str, str], items: list[Item], part: str) -> tuple[dict[str, str], list[Item]]:
    """The same with equal recordings under one source, whatever their names: the sets hold some twice."""
    first = joined([(item.source, item.parts[part]) for item in items], part)
    items = [item._replace(source=first[item.source]) for item in items]
    return {name: strata[name] for name in dict.fromkeys(first.values())}, items


def body_items(session: Session, seed: int, window_s: float) -> Iterator[Item]:
    """Every window of a session that is all rest or all stress, with rest windows of the same person far from it."""
    rest_s = session.starts(REST, window_s, STRIDE_S)
    bpm = _heart_rate(session, window_s)
    for label, value in ((REST, "rested"), (STRESS, "stressed")):
        for start_s in session.starts(label, window_s, STRIDE_S):
            reference_s = choose_references(rest_s, start_s, window_s, f"{seed}/{session.person_id}/{start_s}")
            if not reference_s:
                continue
            known = bpm[start_s : start_s + round(window_s)]
            known = known[np.isfinite(known)]
            median_bpm = float(np.median(known)) if len(known) else None
            parts = session.window(start_s, window_s, reference_s)
            yield Item("body", value, session.person_id, parts, median_bpm)


def choose_references(rest_s: list[int], start_s: int, window_s: float, name: str) -> tuple[int, ...]:
    """Up to four of ``rest_s`` that overlap neither each other nor the 5 minutes around the window at ``start_s``.

    Drawn at random but always alike for one ``name``: all that is near, or all that is late, would tell the time.
    """
    far = [s for s in rest_s if abs(s - start_s) >= window_s + REFERENCE_GAP_S]
    chosen: list[int] = []
    for s in _generator(name).permutation(far):
        if len(chosen) < NUM_REFERENCES and all(abs(s - other) >= window_s for other in chosen):
            chosen.append(int(s))
    return tuple(chosen)


def level_sound(clip: Clip) -> Clip | None:
    """The loudest second of a clip, band-passed and at one loudness; None where it is digital silence."""
    samples, rate_hz = soundfile.read(clip.sound, dtype="float32")
    if not samples.any():
        return None
    samples = sosfiltfilt(_band(rate_hz), samples)
    width = round(SOUND_S * rate_hz)
    if len(samples) < width:
        raise ValueError(f"clip {clip.key!r} has {len(samples)} samples at {rate_hz} Hz, expected {width} or more")
    energy = np.concatenate([[0.0], np.cumsum(samples**2)])
    first = int(np.argmax(energy[width:] - energy[:-width]))
    loudest = samples[first : first + width]
    level = SOUND_RMS / np.sqrt(np.mean(loudest**2))
    return Clip(key=clip.key, sound=(loudest * level).astype(np.float32), rate_hz=rate_hz, start_s=-SOUND_S)


@lru_cache
def _band(rate_hz: int) -> np.ndarray:
    return butter(6, SOUND_BAND_HZ, "bandpass", fs=rate_hz, output="sos")


def _heart_rate(session: Session, window_s: float) -> np.ndarray:
    """(S,) bpm once a second, NaN where unknown; beats are sought in pieces of window_s, as `prepare` will."""
    pulse = session.tracks["ppg"]
    pieces = [
        heart_rate(pulse.cut(start_s, window_s), pulse.rate_hz, 1.0)["heart_rate"]
        for start_s in np.arange(0, len(session.labels), round(window_s))
    ]
    return np.concatenate(pieces)


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
