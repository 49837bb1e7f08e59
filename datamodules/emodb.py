"""Read Emo-DB: German sentences spoken by actors in seven emotions.

Burkhardt et al., Interspeech 2005. Clips of 2 s, 16 kHz.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from datamodules.records import Clip

MEN = ("03", "10", "11", "12", "15")  # speaker numbers, from the set's own documentation


class Utterance(NamedTuple):
    """``emotion``: neutral, boredom, happiness, fear, anger, sadness or disgust; ``gender``: man or woman."""

    clip: Clip
    speaker: str
    gender: str
    emotion: str


def read_emodb(data_dir: Path) -> list[Utterance]:
    """Every utterance under ``data_dir``/emodb, in the order of its meta.csv."""
    folder = Path(data_dir) / "emodb"
    if not (folder / "meta.csv").is_file():
        raise ValueError(f"emodb: no meta.csv in {folder}; set paths.data_dir")
    utterances = []
    for row in pd.read_csv(folder / "meta.csv", dtype=str).itertuples():
        path = folder / "wav" / row.filename
        if not path.is_file():
            raise ValueError(f"emodb: meta.csv names {row.filename} but there is no {path}; set paths.data_dir")
        clip = Clip(key=f"emodb/{path.stem}", sound=path, rate_hz=None, start_s=0.0)
        gender = "man" if row.speaker in MEN else "woman"
        utterances.append(Utterance(clip, row.speaker, gender, row.emotion))
    return utterances
