"""Simulated people with all four modalities and known causes: the embedded default.

Latents follow the rule of datamodules/rule.py. Each modality shows its own latent, or with the published probability
another value of it, and nothing else of the person: see datamodules/simulate.
"""

# Shapes: N people, T time steps, C channels.

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.progress import track
from safetensors.numpy import load_file, save_file

from datamodules.records import Clip, HealthRecord, Note, Part, Photo, Signal
from datamodules.rule import LATENTS, NOISE, STATES, bayes_ceiling, findings, sample_cells, state_of
from datamodules.sets.diet_spans import DIET
from datamodules.simulate.person import Case, simulate_person
from datamodules.simulate.physiology import RATES_HZ, UNITS
from datamodules.simulate.profile import GOALS
from datamodules.simulate.sound import CLIP_S
from datamodules.simulate.targets import RULE_TARGETS
from fusion.batch import GROUPS
from fusion.plan.facts import Facts
from fusion.plan.knowledge.foods import groups_in
from fusion.targets import Target

SPLIT_SHARES = {"train": 0.60, "val": 0.15, "test": 0.25}
PEOPLE_PER_PROCESS = 250  # fewer are simulated faster than another process starts (10 s, measured on two cores)


class SyntheticCohort:
    """``num_people`` simulated people, one record each, generated once into ``root``/<fingerprint>.

    ``seed`` decides everything together with the other arguments. ``missing_rate``: chance that a person lacks a group
    of modalities (nobody lacks all). ``window_s``: seconds of wearable signals. ``noise``: by latent, the probability
    that its modality shows another value; default as published in docs/cohorts.md.
    """

    name = "synthetic"
    targets: ClassVar = {**RULE_TARGETS, "diet_tags": Target("spans", DIET)}

    def __init__(
        self,
        *,
        root: Path | str,
        num_people: int = 2000,
        seed: int = 0,
        missing_rate: float = 0.1,
        window_s: float = 60.0,
        noise: Mapping[str, float] = NOISE["synthetic"],
    ):
        if num_people < 10:
            raise ValueError(f"num_people is {num_people}, expected at least 10 for three splits; fix data.cohort")
        if not 0 <= missing_rate < 1:
            raise ValueError(f"missing_rate is {missing_rate}, expected 0 <= rate < 1; fix data.cohort.missing_rate")
        if not 20 <= window_s <= 600:
            raise ValueError(f"window_s is {window_s}, expected 20 to 600 seconds; fix data.cohort.window_s")
        self.num_people, self.seed, self.missing_rate, self.window_s = num_people, seed, missing_rate, window_s
        self.noise = dict(noise)
        self.ceiling()  # names what is wrong with the noise
        settings = [num_people, seed, missing_rate, window_s, self.noise, _generator_version()]
        self.fingerprint = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = Path(root) / self.fingerprint

    def ceiling(self) -> dict[str, dict[str, dict[str, float]]]:
        """The best any model can reach through the noise: per subset of groups, on the records that have all of them;
        as_recorded: on every record with what it has (missing_rate included)."""
        complete, as_recorded = bayes_ceiling(self.noise), bayes_ceiling(self.noise, missing_rate=self.missing_rate)
        return {"health_state": {**complete, "as_recorded": as_recorded["+".join(GROUPS)]}}

    def records(self, split: str) -> list[HealthRecord]:
        """The people of one split; generates the cohort at the first call ever."""
        if split not in SPLIT_SHARES:
            raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLIT_SHARES)}")
        if not self.folder.is_dir():
            self._generate()
        signals = load_file(self.folder / "signals.safetensors")
        people = json.loads((self.folder / "people.json").read_text())
        return [
            self._record(person, {name: values[row] for name, values in signals.items()})
            for row, person in enumerate(people)
            if person["split"] == split
        ]

    def _record(self, person: dict, signals: dict[str, np.ndarray]) -> HealthRecord:
        """The record of one line of people.json; ``signals``: (T, C) per source."""
        person_id, shown = person["person_id"], person["shown"]
        parts: dict[str, Part] = {}
        if "words" in shown:
            parts["text"] = Note(key=f"{person_id}/text", text=person["text"], time_s=person["time_s"]["text"])
        if "body" in shown:
            for source, rate_hz in RATES_HZ.items():
                parts[source] = Signal(
                    key=f"{person_id}/{source}",
                    values=signals[source].astype(np.float32),
                    rate_hz=float(rate_hz),
                    unit=UNITS[source],
                    start_s=-self.window_s,
                )
        if "meal" in shown:
            image = self.folder / f"{person_id}.jpg"
            parts["photo"] = (Photo(key=f"{person_id}/photo", image=image, time_s=person["time_s"]["photo"]),)
        if "sound" in shown:
            sound = self.folder / f"{person_id}.flac"
            parts["audio"] = Clip(key=f"{person_id}/audio", sound=sound, rate_hz=None, start_s=-CLIP_S)
        state = state_of(person["cell"])
        plan = Facts(
            state=state,
            findings=findings(
                shown, heart_rate_bpm=person.get("heart_rate_bpm"), window_s=self.window_s, clip_s=CLIP_S
            ),
            named_foods=groups_in(person["text"]) if "text" in parts else (),
            **person["profile"],
        )
        targets: dict[str, object] = {"health_state": STATES.index(state), "plan": plan}
        targets |= {latent: values.index(person["cell"][latent]) for latent, values in LATENTS.items()}
        targets["goal"] = list(GOALS).index(person["profile"]["goal"])
        targets["diet_tags"] = [tuple(span) for span in person.get("diet_tags", [])]
        return HealthRecord(record_id=person_id, person_id=person_id, parts=parts, targets=targets)

    def _generate(self) -> None:
        """Simulate everybody beside the final folder, then rename: a kill leaves no half cohort."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}.building-", dir=self.folder.parent))
        simulate = partial(
            simulate_person,
            seed=self.seed,
            missing_rate=self.missing_rate,
            window_s=self.window_s,
            noise=self.noise,
            folder=building,
        )
        try:
            simulated = track(_map(simulate, self._cases()), "simulating people", total=self.num_people, transient=True)
            people, signals = zip(*simulated, strict=True)
            (building / "people.json").write_text(json.dumps(people))
            save_file(_stack(signals), building / "signals.safetensors")
            os.rename(building, self.folder)
        except OSError as error:
            if not self.folder.is_dir():  # not lost to another process that was faster
                raise OSError(f"cannot write the cohort to {self.folder}: {error}; set paths.cache_dir") from error
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _cases(self) -> list[Case]:
        """Everybody's latents and split, drawn from the seed alone."""
        rng = np.random.default_rng(self.seed)
        cells = sample_cells(self.num_people, rng)
        bounds = np.cumsum(list(SPLIT_SHARES.values())) * self.num_people
        split_of = np.searchsorted(bounds, rng.permutation(self.num_people), side="right")
        splits = list(SPLIT_SHARES)
        return [Case(i, cell, splits[k]) for i, (cell, k) in enumerate(zip(cells, split_of, strict=True))]


def _map(simulate: Callable, cases: list[Case]) -> Iterator[tuple[dict, dict[str, np.ndarray]]]:
    """``simulate`` every case in order, on all cores where there are many people."""
    num_processes = min(os.cpu_count() or 1, len(cases) // PEOPLE_PER_PROCESS)
    if num_processes < 2:
        yield from map(simulate, cases)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of torch in an undefined state
    with ProcessPoolExecutor(num_processes, mp_context=context) as pool:
        yield from pool.map(simulate, cases, chunksize=25)


def _stack(signals: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """{source: (N, T, C) float16}, NaN where a person has none; temperature keeps float32 (float16 steps 0.03 degC)."""
    signals = list(signals)
    stacked = {}
    for source, like in next(s for s in signals if s).items():
        rows = [s.get(source, np.full_like(like, np.nan)) for s in signals]
        stacked[source] = np.stack(rows).astype(np.float32 if source == "temperature" else np.float16)
    return stacked


def _generator_version() -> str:
    """A hash of the code that decides the content: a changed simulator never meets an old cache."""
    here = Path(__file__).parent
    own = (path for path in here.glob("*.py") if not path.stem.startswith("composed"))
    files = sorted([here.parent / "rule.py", *own])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
