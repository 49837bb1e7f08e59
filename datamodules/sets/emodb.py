"""Read Emo-DB: German sentences spoken by actors in seven emotions.

Burkhardt et al., Interspeech 2005. Clips of 2 s, 16 kHz.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pandas as pd

from datamodules.records import Clip
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.splits import split_sources
from fusion.targets import Target

MEN = ("03", "10", "11", "12", "15")  # speaker numbers, from the set's own documentation
EMOTION_OF = {
    "N": "neutral", "L": "boredom", "F": "happiness", "A": "fear", "W": "anger", "T": "sadness", "E": "disgust",
}  # fmt: skip


class Utterance(NamedTuple):
    """``emotion``: neutral, boredom, happiness, fear, anger, sadness or disgust; ``gender``: man or woman."""

    clip: Clip
    speaker: str
    gender: str
    emotion: str


def read_emodb(data_dir: Path) -> list[Utterance]:
    """Every utterance under ``data_dir``/emodb, in the order of its meta.csv or, without one, of the names in wav/."""
    folder = Path(data_dir) / "emodb"
    utterances = []
    for path, speaker, emotion in _listed(folder):
        if not path.is_file():
            raise ValueError(f"emodb: meta.csv names {path.name} but there is no {path}; set paths.data_dir")
        clip = Clip(key=f"emodb/{path.stem}", sound=path, rate_hz=None, start_s=0.0)
        utterances.append(Utterance(clip, speaker, "man" if speaker in MEN else "woman", emotion))
    return utterances


def _listed(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """(file, speaker, emotion); published names say both, as 03a01Wa.wav: speaker 03, anger (Wut)."""
    if (folder / "meta.csv").is_file():
        for row in pd.read_csv(folder / "meta.csv", dtype=str).itertuples():
            yield folder / "wav" / row.filename, row.speaker, row.emotion
        return
    paths = sorted((folder / "wav").glob("[0-9][0-9][ab][0-9][0-9][A-Z]*.wav"))
    if not paths:
        raise ValueError(f"emodb: no meta.csv and no wav/03a01Wa.wav or the like in {folder}; set paths.data_dir")
    for path in paths:
        if path.name[5] not in EMOTION_OF:
            raise ValueError(f"emodb: {path.name} has emotion {path.name[5]!r}, expected one of {sorted(EMOTION_OF)}")
        yield path, path.name[:2], EMOTION_OF[path.name[5]]


class EmodbCohort(LabelledCohort):
    """Short German sentences spoken by actors in seven emotions; ``distress`` joins fear, anger, sadness and disgust.

    Content: 535 utterances of 10 actors; 415 of 8 are read here, two actors being kept for a final test.
    Licence: distributed free for research by TU Berlin; the licence text could not be verified.
    People: 5 women, 5 men, acted. Split: by speaker, women and men dealt evenly, 5/1/2 speakers.
    Published: speaker-independent accuracies are of the uncut utterances and not comparable.
    Faults: every clip of the copy at hand is cut or padded to 2.00 s; the same ten sentences recur for all speakers.
    """

    name = "emodb"
    unit = "speaker"
    targets: ClassVar = {
        "emotion": Target("classes", ("neutral", "boredom", "happiness", "fear", "anger", "sadness", "disgust")),
        "distress": Target("classes", ("calm", "distressed")),
    }
    test, val = 0.25, 0.15

    def read(self) -> Iterator[Item]:
        for spoken in read_emodb(self.data_dir):
            is_calm = spoken.emotion in ("neutral", "boredom", "happiness")
            targets = {"emotion": spoken.emotion, "distress": "calm" if is_calm else "distressed"}
            yield Item(spoken.clip.key, spoken.speaker, {"audio": spoken.clip}, targets, stratum=spoken.gender)

    def divide(self, items: list[Item]) -> dict[str, str]:
        """Speakers are too few to be dealt sex by sex: both sexes take turns in one order."""
        strata = {item.source: item.stratum for item in items}
        return split_sources(strata, split=self.split, seed=self.seed, test=self.test, val=self.val)
