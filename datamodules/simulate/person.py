"""Simulate everything of one person: what is shown, what is missing, and the recordings themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from datamodules.rule import GROUP_OF, LATENTS, Cell, confusion
from datamodules.simulate.diary import simulate_diary
from datamodules.simulate.physiology import simulate_physiology
from datamodules.simulate.plate import simulate_plate
from datamodules.simulate.profile import Profile, sample_profile
from datamodules.simulate.sound import RATE_HZ, simulate_sound


class Case(NamedTuple):
    """Who is to be simulated: the true latents and the split are drawn for the whole cohort at once."""

    index: int
    cell: Cell
    split: str


def simulate_person(
    case: Case, *, seed: int, missing_rate: float, window_s: float, noise: Mapping[str, float], folder: Path
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Write ``folder``/<person>.jpg and .flac; return what is known of the person (JSON-able) and the signals.

    Facts and modalities have dice of their own, so that a change of one simulator leaves all others as they were.
    """
    dice = {name: np.random.default_rng([seed, case.index, k]) for k, name in enumerate(("facts", *GROUP_OF.values()))}
    shown, present, profile = _facts(case.cell, dice["facts"], missing_rate, noise)
    person: dict[str, object] = {
        "person_id": f"person{case.index:05d}",
        "split": case.split,
        "cell": case.cell,
        "shown": {latent: shown[latent] for latent, group in GROUP_OF.items() if group in present},
        "profile": profile.facts(),
        "time_s": {group: -round(float(dice[group].uniform(60, 3600))) for group in ("text", "photo")},
    }
    signals: dict[str, np.ndarray] = {}
    if "text" in present:
        text, spans = simulate_diary(shown["words"], profile, dice["text"], split=case.split)
        person |= {"text": text, "diet_tags": spans}
    if "signals" in present:
        physiology = simulate_physiology(shown["body"], dice["signals"], window_s=window_s)
        signals = physiology.signals
        person["heart_rate_bpm"] = round(physiology.heart_rate_bpm)
    if "photo" in present:
        (folder / f"{person['person_id']}.jpg").write_bytes(simulate_plate(shown["meal"], dice["photo"]))
    if "audio" in present:
        sound = simulate_sound(shown["sound"], dice["audio"])
        soundfile.write(folder / f"{person['person_id']}.flac", sound, RATE_HZ, subtype="PCM_16")
    return person, signals


def _facts(
    cell: Cell, rng: np.random.Generator, missing_rate: float, noise: Mapping[str, float]
) -> tuple[Cell, set[str], Profile]:
    """What each modality shows, which groups are there (at least one), and what the person is like."""
    shown = {}
    for latent, values in LATENTS.items():
        chances = confusion(latent, noise[latent])[values.index(cell[latent])]
        shown[latent] = values[rng.choice(len(values), p=chances)]
    groups = list(GROUP_OF.values())
    kept = groups[rng.integers(len(groups))]
    present = {group for group in groups if rng.random() >= missing_rate} or {kept}
    return shown, present, sample_profile(rng)
