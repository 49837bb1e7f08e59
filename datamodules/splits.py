"""Split sources - people, speakers, photos, clips, posts - into train, validation and test, deterministically."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

SPLITS = ("train", "val", "test")
FEW = 50  # below this many units, chance would leave the parts uneven, so they are counted out


def split_sources(
    sources: Iterable[str] | Mapping[str, str], *, split: int, seed: int, test: float, val: float
) -> dict[str, str]:
    """Give every source "train", "val" or "test"; the test parts of split 0, 1 and 2 are disjoint.

    ``sources``: names, or name -> stratum (a class, a gender); few sources are divided alike in every stratum.
    ``test`` and ``val`` are fractions of the sources. Each source has a place in 0..1: its own hash where there are
    many (so that adding one moves no other), its rank in hash order where there are few (so that the counts are exact).
    """
    if split not in (0, 1, 2):
        raise ValueError(f"split is {split!r}, expected 0, 1 or 2; set data.cohort.split")
    if not (0 < test <= 1 / 3 and 0 < val < 1 - test):
        raise ValueError(f"test={test}, val={val}: expected 0 < test <= 1/3 and 0 < val < 1 - test")
    strata = dict(sources) if isinstance(sources, Mapping) else dict.fromkeys(sources, "")
    place = {name: _hash(f"{seed}/{name}") for name in strata}
    if len(strata) < FEW:
        place = {name: (rank + 0.5) / len(strata) for rank, name in enumerate(_interleaved(strata, place))}
    return {name: _part((place[name] - split * test) % 1.0, test, val) for name in strata}


def _part(place: float, test: float, val: float) -> str:
    return "test" if place < test else "val" if place < test + val else "train"


def _interleaved(strata: Mapping[str, str], place: Mapping[str, float]) -> list[str]:
    """Names in hash order, strata taking turns in proportion to their size."""
    turn = {}
    for stratum in sorted(set(strata.values())):
        members = sorted((name for name in strata if strata[name] == stratum), key=place.__getitem__)
        turn |= {name: ((rank + 0.5) / len(members), stratum) for rank, name in enumerate(members)}
    return sorted(turn, key=turn.__getitem__)


def _hash(text: str) -> float:
    """A number in 0..1 that depends on the text alone, on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
