"""Read AnnoMI (Wu et al., ICASSP 2022): counselling dialogues in the style of motivational interviewing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pandas as pd

from datamodules.records import Note
from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.layout import one_of
from fusion.targets import Target


def read_annomi(data_dir: Path) -> pd.DataFrame:
    """Every utterance under ``data_dir``/annomi, dialogue by dialogue, in the order spoken."""
    path = one_of(Path(data_dir) / "annomi", "AnnoMI-simple.csv.gz", "AnnoMI-simple.csv")
    return pd.read_csv(path).sort_values(["transcript_id", "utterance_id"], kind="stable")


class AnnomiCohort(LabelledCohort):
    """What a client's words lean to - change, neither, staying - and what a therapist's words do.

    Content: 133 dialogues, 9,699 utterances; 106 dialogues and 7,647 utterances are at hand. Each utterance is
    read with the one before it, never with one after.
    Licence: no licence file, "publicly available" for research; cite.
    People: demonstrations on video, some with the same therapist. Split: by dialogue, quality by quality, 65/15/20 %.
    Published: baselines in Future Internet 15(3):110, not verified.
    Faults: transcripts of staged sessions; therapist utterances hold several acts but one main label; "change"
    talk is a quarter of the client's, so accuracy alone misleads.
    """

    name = "annomi"
    unit = "dialogue"
    targets: ClassVar = {
        "client_talk": Target("classes", ("change", "neutral", "sustain")),
        "therapist_behaviour": Target("classes", ("question", "reflection", "therapist_input", "other")),
    }

    def read(self) -> Iterator[Item]:
        for dialogue, turns in read_annomi(self.data_dir).groupby("transcript_id"):
            before = ""
            for turn in turns.itertuples():
                said = f"{turn.interlocutor}: {turn.utterance_text}"
                key = f"annomi/{dialogue}/{turn.utterance_id}"
                is_client = turn.interlocutor == "client"
                head, label = (
                    ("client_talk", turn.client_talk_type)
                    if is_client
                    else ("therapist_behaviour", turn.main_therapist_behaviour)
                )
                note = Note(key=key, text=f"{said} [before] {before}" if before else said)
                yield Item(key, f"annomi/{dialogue}", {"text": note}, {head: label}, turn.mi_quality)
                before = said
