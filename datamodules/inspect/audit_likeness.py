"""Find recordings of two splits that are nearly the same: photos, sounds and words by datamodules/sets/likeness.py.

Signals here: samples shared by shifted windows (winnowing, Schleimer et al. 2003), and correlation of first
differences. Each threshold stands beside its reason; all pairs are compared exactly.
"""

# Shapes: N pieces, T samples.

from __future__ import annotations

import numpy as np

from datamodules.inspect.audit_pieces import EXAMPLES, MIN_WORDS, PAIRS, Finding, Piece, is_short
from datamodules.sets.likeness import ALIKE, Score, shared

CORRELATION = 0.98  # of differences over 256 steps; noise of two recordings does not agree so far
RUN = 32  # samples: so many equal ones in a row are no chance
RUN_VALUES = 8  # different ones among them at least: a sensor at rest says 0 and its smallest count over and over
RUN_EVERY = 16  # one run in so many is remembered, chosen by its content so that shifts do not matter

Pairs = dict[tuple[str, str], float]


def near_duplicates(by_source: dict[str, list[Piece]], equal: set[tuple[str, str]]) -> list[Finding]:
    """One finding per source of recordings; pairs in ``equal`` (byte duplicates) are not counted again."""
    findings = []
    for source, own in sorted(by_source.items()):
        short = {piece.key for piece in own if is_short(piece)}
        for check, pairs in METHODS[own[0].kind]:
            found = {pair: score for pair, score in pairs(own).items() if pair not in equal and pair[::-1] not in equal}
            chance = {pair: score for pair, score in found.items() if short & set(pair)}
            telling = {pair: score for pair, score in found.items() if pair not in chance}
            findings.append(_finding(f"{source}: {check}", telling, len(own), is_leak=True))
            if short:
                findings.append(
                    _finding(f"{source}: of them under {MIN_WORDS} words", chance, len(short), is_leak=False)
                )
    return findings


def _finding(check: str, found: Pairs, looked_at: int, *, is_leak: bool) -> Finding:
    said = [f"{a} ~ {b} ({score:.2f})" for (a, b), score in sorted(found.items())[:EXAMPLES]]
    return Finding(check, len(found), looked_at, said, is_leak)


def _across(own: list[Piece], score: Score, least: float) -> Pairs:
    """Pairs of two splits whose ``score`` is at least ``least``."""
    split = np.array([piece.split for piece in own])
    pairs: Pairs = {}
    for one, other in PAIRS:
        left, right = np.flatnonzero(split == one), np.flatnonzero(split == other)
        if not len(left) or not len(right):
            continue
        scores = score(left, right)
        for i, j in np.argwhere(scores >= least):
            pairs[own[left[i]].key, own[right[j]].key] = float(scores[i, j])
    return pairs


def alike(own: list[Piece]) -> Pairs:
    """Score and threshold of the kind: photos, sounds or words."""
    score_of, least = ALIKE[own[0].kind]
    return _across(own, score_of([piece.part for piece in own]), least)


def shared_samples(own: list[Piece]) -> Pairs:
    """Score: number of remembered runs of samples that both have."""
    runs = [_runs(piece.part.values) for piece in own]
    return _across(own, shared(runs, "count"), 1.0)


def same_shape(own: list[Piece]) -> Pairs:
    """Score: correlation of the first differences, each recording stretched to 256 steps."""
    rows = np.stack([_shape(piece.part.values) for piece in own])
    return _across(own, lambda left, right: rows[left] @ rows[right].T, CORRELATION)


def _runs(values: np.ndarray) -> np.ndarray:
    """Hashes of runs of the first channel that its content picks: the same runs in windows that overlap."""
    column = np.ascontiguousarray(values[:, 0], np.float64)
    if len(column) < RUN:
        return np.zeros(0, np.uint64)
    known = _count(np.isfinite(column), RUN) == RUN
    weights = np.random.default_rng(0).integers(1, 2**63, RUN, dtype=np.uint64) | np.uint64(1)
    bits = column.view(np.uint64)
    bits = bits ^ (bits >> np.uint64(32))  # what came as float32 has zeros below, and sums of zeros collide
    windows = np.lib.stride_tricks.sliding_window_view(bits, RUN)
    hashes = sum((windows[:, i] * weights[i] for i in range(RUN)), np.zeros(len(windows), np.uint64))
    hashes ^= hashes >> np.uint64(29)
    chosen = np.flatnonzero(known & (hashes % np.uint64(RUN_EVERY) == 0))
    ordered = np.sort(column[chosen[:, None] + np.arange(RUN)], axis=1)
    return hashes[chosen[(np.diff(ordered, axis=1) > 0).sum(axis=1) >= RUN_VALUES - 1]]


def _count(is_so: np.ndarray, width: int) -> np.ndarray:
    """How many of every ``width`` neighbours are so."""
    total = np.concatenate([[0], np.cumsum(is_so)])
    return total[width:] - total[:-width]


def _shape(values: np.ndarray) -> np.ndarray:
    """(256,) of unit length; zeros where too little was measured or nothing moves, which is like nothing else."""
    column = np.asarray(values[:, 0], np.float64)
    known = np.flatnonzero(np.isfinite(column))
    if len(known) < 64 or len(np.unique(column[known])) < 32:
        return np.zeros(256)
    grid = np.interp(np.linspace(0, len(column) - 1, 257), known, column[known])
    steps = np.diff(grid)
    steps -= steps.mean()
    return steps / max(np.linalg.norm(steps), 1e-12)


METHODS = {
    "photo": [("near-duplicate photos across splits", alike)],
    "audio": [("sounds with the same peaks across splits", alike)],
    "text": [("texts in the same words across splits", alike)],
    "signal": [
        ("windows that share samples across splits", shared_samples),
        ("windows of the same shape across splits", same_shape),
    ],
}
