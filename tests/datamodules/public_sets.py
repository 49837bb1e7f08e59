"""Tiny made-up copies of the five public sets in their own file layout, for tests without the real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from PIL import Image

PEOPLE, BEGAN_S = range(2, 10), 1_644_226_000.0
SPEAKERS = ("08", "09", "10", "11", "12", "13", "14", "15")
EMOTIONS = ("neutral", "boredom", "happiness", "fear", "anger", "sadness", "disgust")
DISHES = (
    "apple_pie", "baby_back_ribs", "baklava", "beef_carpaccio", "beef_tartare", "beet_salad", "beignets", "bibimbap",
    "bread_pudding", "breakfast_burrito",
)  # fmt: skip


def write_public_sets(root: Path) -> Path:
    """Write all five under ``root``: 8 people of 25 minutes (stress from minute 10 to 15), 8 speakers, 120 photos."""
    for name, write in WRITERS.items():
        write(root / name, np.random.default_rng(0))
    return root


def write_stress_predict(folder: Path, rng: np.random.Generator) -> None:
    (folder / "raw").mkdir(parents=True)
    seconds, rows = 1500, []
    for person in PEOPLE:
        time_s = {hz: np.arange(seconds * hz) / hz for hz in (4, 32, 64)}
        np.savez(
            folder / "raw" / f"S{person:02d}.npz",
            BVP=(5000 * np.sin(2 * np.pi * (1 + person / 20) * time_s[64])).astype(np.int32),
            EDA=(1 + 0.1 * rng.random(seconds * 4)).astype(np.float32),
            TEMP=(32 + 0.1 * rng.random(seconds * 4)).astype(np.float32),
            ACC=rng.integers(-10, 64, (seconds * 32, 3)).astype(np.int8),
            **{f"{name}_hz": float(hz) for name, hz in (("BVP", 64), ("EDA", 4), ("TEMP", 4), ("ACC", 32))},
            **{f"{name}_start": BEGAN_S for name in ("BVP", "EDA", "TEMP", "ACC")},
        )
        label = np.zeros(seconds, int)
        label[600:900] = 1
        rows.append(pd.DataFrame({"Participant": person, "Time(sec)": BEGAN_S + np.arange(seconds), "Label": label}))
    pd.concat(rows).to_csv(folder / "labels_hr_rsp_binary.csv.gz", index=False)


def write_emodb(folder: Path, rng: np.random.Generator) -> None:
    (folder / "wav").mkdir(parents=True)
    rows = [(f"{s}a01{e}.ogg", s, e) for s in SPEAKERS for e in EMOTIONS]
    for name, _, _ in rows:
        _write_sound(folder / "wav" / name, 2.0, rng.uniform(0.01, 0.5), rng)
    pd.DataFrame(rows, columns=["filename", "speaker", "emotion"]).to_csv(folder / "meta.csv", index=False)


def write_snoring_khan(folder: Path, rng: np.random.Generator) -> None:
    rows = [
        (f"{label}/{prefix}_{10 * block + i}.ogg", label)
        for label, prefix in (("snoring", 1), ("no_snoring", 0))
        for block in range(10)
        for i in range(2)
    ]
    for name, label in rows:
        (folder / label).mkdir(parents=True, exist_ok=True)
        is_silent = name == "no_snoring/0_1.ogg"
        _write_sound(folder / name, 1.0, 0.0 if is_silent else rng.uniform(0.01, 0.5), rng)
    pd.DataFrame(rows, columns=["filename", "label"]).to_csv(folder / "meta.csv", index=False)


def write_food101_10(folder: Path, rng: np.random.Generator) -> None:
    lines = [f"{dish}/{number}" for dish in DISHES for number in range(1000, 1012)]
    for line in lines:
        path = folder / "images" / f"{line}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
    (folder / "train.txt").write_text("\n".join(lines))


def write_dreaddit(folder: Path, _: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    rows = [(i, f"post{i // 2}", f"words of segment {i}", i // 2 % 2, (0.6, 0.8, 1.0)[i % 3]) for i in range(200)]
    columns = ["id", "post_id", "text", "label", "confidence"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "dreaddit-train.csv.gz", index=False)


def _write_sound(path: Path, length_s: float, level: float, rng: np.random.Generator) -> None:
    soundfile.write(path, level * rng.uniform(-1, 1, round(16000 * length_s)), 16000, format="OGG", subtype="VORBIS")


WRITERS = {
    "stress_predict": write_stress_predict,
    "emodb": write_emodb,
    "snoring_khan": write_snoring_khan,
    "food101_10": write_food101_10,
    "dreaddit": write_dreaddit,
}
