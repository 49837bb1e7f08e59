"""Write a small user's records: wrist csv, meal photo, voice, diary."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

CLASSES = {"health_state": ["calm", "stressed"]}
UNITS = {"eda": "uS", "temperature": "degC", "acc": "g"}


def write_records(root: Path, *, num_people: int = 10, per_person: int = 2, length_s: int = 60) -> Path:
    """Alternating calm and stressed; the second record of a person has no sound and no text."""
    rng = np.random.default_rng(0)
    root.mkdir(parents=True, exist_ok=True)
    (root / "folder.json").write_text(
        json.dumps({"labels": CLASSES, "signals": {"eda": {"unit": "uS", "rate_hz": 4}}}, indent=1)
    )
    for person in range(num_people):
        for number in range(per_person):
            folder = root / f"p{person:02d}_{number}"
            folder.mkdir()
            is_stressed = (person + number) % 2
            write_json(folder, person=f"p{person:02d}", labels={"health_state": CLASSES["health_state"][is_stressed]})
            level = 2 + is_stressed + 0.1 * rng.random(4 * length_s)
            (folder / "eda.csv").write_text("eda\n" + "\n".join(f"{value:.4f}" for value in level))
            pixels = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "lunch.jpg", quality=90)
            if number == 0:
                sound = rng.uniform(-0.3, 0.3, 16000)
                soundfile.write(folder / "voice.flac", sound, 16000)
                (folder / "diary.txt").write_text(f"Day {person} was {'hard' if is_stressed else 'fine'}.")
    return root


def write_json(folder: Path, **said: object) -> Path:
    """The record.json of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "record.json"
    path.write_text(json.dumps(said, indent=1))
    return path
