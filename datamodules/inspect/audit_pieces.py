"""Every recording of a cohort once per split, and what its bytes are."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from datamodules.records import Clip, HealthRecord, Note, Photo, Signal
from datamodules.splits import SPLITS

PAIRS = tuple(combinations(SPLITS, 2))
EXAMPLES = 5  # shown of each finding; all are counted
MIN_WORDS = 20  # shorter texts ("Meals: Breakfast, Dinner.", "1 cup butter") coincide without being copied


class Piece(NamedTuple):
    """One recording of one split: ``kind`` is photo, audio, text or signal, ``source`` its name in the record."""

    kind: str
    source: str
    split: str
    key: str
    part: Signal | Photo | Clip | Note


class Finding(NamedTuple):
    """What one check saw: ``found`` of ``looked_at`` pairs or items; ``is_leak``: found > 0 is a leak."""

    check: str
    found: int
    looked_at: int
    examples: list[str]
    is_leak: bool


def is_short(piece: Piece) -> bool:
    """Whether it is a text so short that another may be equal by chance."""
    return isinstance(piece.part, Note) and len(piece.part.text.split()) < MIN_WORDS


def pieces(records: dict[str, list[HealthRecord]], max_items: int) -> dict[str, list[Piece]]:
    """By source, at most ``max_items`` recordings a split, chosen by the hash of their key; photos one by one."""
    seen: dict[tuple[str, str], dict[str, Piece]] = defaultdict(dict)
    for split, own in records.items():
        for record in own:
            for piece in _of_record(record, split):
                seen[piece.source, split].setdefault(piece.key, piece)
    chosen: dict[str, list[Piece]] = defaultdict(list)
    for (source, _), by_key in seen.items():
        keys = sorted(by_key, key=lambda key: hashlib.sha256(key.encode()).digest())[:max_items]
        chosen[source] += [by_key[key] for key in sorted(keys)]
    return dict(chosen)


def content_hash(piece: Piece) -> str:
    """Of the bytes of the file, the samples or the letters; names and times play no part."""
    part = piece.part
    if isinstance(part, Signal):
        content = part.values.tobytes()
    elif isinstance(part, Photo):
        content = part.image.read_bytes() if isinstance(part.image, Path) else part.image
    elif isinstance(part, Clip):
        content = part.sound.read_bytes() if isinstance(part.sound, Path) else part.sound.tobytes()
    else:
        content = part.text.encode()
    return hashlib.sha256(content).hexdigest()


def shared_sources(records: dict[str, list[HealthRecord]]) -> Finding:
    """People, speakers, photos, posts, ... that more than one split has."""
    having: dict[str, set[str]] = defaultdict(set)
    for split, own in records.items():
        for record in own:
            for kind, name in {"person": record.person_id, **record.sources}.items():
                having[f"{kind} {name}"].add(split)
    shared = sorted(name for name, splits in having.items() if len(splits) > 1)
    examples = [f"{name} in {', '.join(sorted(having[name]))}" for name in shared]
    return Finding("person or source in two splits", len(shared), len(having), examples[:EXAMPLES], True)


def same_bytes(by_source: dict[str, list[Piece]]) -> tuple[Finding, set[tuple[str, str]]]:
    """Recordings of two splits that are equal to the last byte, and their pairs of keys; short texts are left out."""
    pairs, looked_at = set(), 0
    for own in by_source.values():
        hashes: dict[str, list[Piece]] = defaultdict(list)
        telling = [piece for piece in own if not is_short(piece)]
        for piece in telling:
            hashes[content_hash(piece)].append(piece)
        looked_at += len(telling)
        for same in hashes.values():
            pairs |= {(a.key, b.key) for a, b in combinations(same, 2) if a.split != b.split}
    examples = [f"{a} = {b}" for a, b in sorted(pairs)[:EXAMPLES]]
    return Finding("byte duplicates across splits", len(pairs), looked_at, examples, True), pairs


def _of_record(record: HealthRecord, split: str) -> Iterator[Piece]:
    for source, part in record.parts.items():
        if isinstance(part, tuple):
            yield from (Piece("photo", source, split, photo.key, photo) for photo in part)
        else:
            kind = {Signal: "signal", Clip: "audio", Note: "text"}[type(part)]
            yield Piece(kind, source, split, part.key, part)
