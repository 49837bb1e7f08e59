"""Stress-Predict on its own: windows of wrist signals, at rest or under one of the protocol's stressors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from datamodules.sets.labelled import Item, LabelledCohort
from datamodules.sets.stress_predict import REST, STRESS, STRESSORS, Session, read_stress_predict
from datamodules.simulate.composed_sources import choose_references
from fusion.targets import Target


class StressPredictCohort(LabelledCohort):
    """A window of pulse, skin conductance, temperature and movement -> at rest or under stress, and by which stressor.

    Content: 35 people, 55 minutes each with an Empatica E4: rest between a Stroop test, an interview and
    hyperventilation; 28 people are at hand, 27 with labels. A record is a window of ``window_s`` with one label
    throughout, one every ``stride_s``. With ``is_against_rest`` it carries up to four rest windows of the same person,
    at least five minutes away, for modalities of conf/modality/vs_rest.
    Licence: MIT. People: 35 healthy adults. Split: by person.
    Published: statistics only (Iqbal et al. 2022: the interview raised heart rate in 77 %); no classifier to compare.
    Faults: S01 has no labels; talking and moving hands come with the stress, so a
    classifier may hear speech and movement rather than stress.
    """

    name = "stress_predict"
    unit = "person"
    targets: ClassVar = {
        "stress": Target("classes", ("rest", "stress")),
        "phase": Target("classes", ("rest", *STRESSORS)),
    }

    def __init__(
        self, *, data_dir: Path | str | None, split: int, window_s: float, stride_s: int, is_against_rest: bool,
        seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(data_dir=data_dir, split=split, seed=seed)
        self.window_s, self.stride_s, self.is_against_rest = window_s, stride_s, is_against_rest

    def read(self) -> Iterator[Item]:
        for session in read_stress_predict(self.data_dir):
            rest_s = session.starts(REST, self.window_s, self.stride_s)
            for label, name in ((REST, "rest"), (STRESS, "stress")):
                for start_s in session.starts(label, self.window_s, self.stride_s):
                    reference_s = self._references(session, rest_s, start_s)
                    if self.is_against_rest and not reference_s:
                        continue
                    parts = session.window(start_s, self.window_s, reference_s)
                    key = f"stress_predict/{session.person_id}/{start_s}"
                    phase = session.stressor(start_s) if label == STRESS else name
                    yield Item(key, session.person_id, parts, {"stress": name, "phase": phase})

    def _references(self, session: Session, rest_s: list[int], start_s: int) -> tuple[int, ...]:
        if not self.is_against_rest:
            return ()
        return choose_references(rest_s, start_s, self.window_s, f"{self.seed}/{session.person_id}/{start_s}")
