"""Find recordings of two splits that are nearly the same: the same photo saved again, the same sound cut elsewhere.

Photos: perceptual hash, mirrored too (Zauner 2010). Sounds: pairs of spectral peaks (Wang 2003). Texts: Jaccard
similarity of word triples. Signals: samples shared by shifted windows (winnowing, Schleimer et al. 2003), and
correlation of first differences. Each threshold stands beside its reason; all pairs are compared exactly.
"""

# Shapes: N pieces, T samples, F frequencies.

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import imagehash
import numpy as np
import soundfile
from PIL import Image, ImageOps
from scipy.ndimage import maximum_filter
from scipy.signal import resample_poly, stft
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from datamodules.audit_pieces import EXAMPLES, PAIRS, Finding, Piece
from datamodules.records import Clip, Photo

PHOTO_BITS = 6  # of 64: saving and scaling again changes 0 to 4; unrelated photos differ in about 32
SOUND_SHARE = 0.25  # of the peak pairs of the shorter clip; unrelated clips share a few hundredths
TEXT_JACCARD = 0.5  # of word triples: half of what is said is said in the same words
CORRELATION = 0.98  # of differences over 256 steps; noise of two recordings does not agree so far
RUN = 32  # samples: so many equal ones in a row, not constant, are no chance
RUN_EVERY = 16  # one run in so many is remembered, chosen by its content so that shifts do not matter
SOUND_HZ = 8000


def near_duplicates(by_source: dict[str, list[Piece]], equal: set[tuple[str, str]]) -> list[Finding]:
    """One finding per source of recordings; pairs in ``equal`` (byte duplicates) are not counted again."""
    findings = []
    for source, own in sorted(by_source.items()):
        for check, pairs in METHODS[own[0].kind]:
            found = {pair: score for pair, score in pairs(own).items() if pair not in equal and pair[::-1] not in equal}
            said = [f"{a} ~ {b} ({score:.2f})" for (a, b), score in sorted(found.items())[:EXAMPLES]]
            findings.append(Finding(f"{source}: {check}", len(found), len(own), said, True))
    return findings


Pairs = dict[tuple[str, str], float]


def _across(own: list[Piece], score: Callable[[np.ndarray, np.ndarray], np.ndarray], least: float) -> Pairs:
    """Pairs of two splits whose ``score`` (rows of the first x rows of the second) is at least ``least``."""
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


def same_photo(own: list[Piece]) -> Pairs:
    """Score: share of the 64 bits that agree, as it is or mirrored."""
    hashes = [[_phash(image), _phash(ImageOps.mirror(image))] for image in (_open(p.part) for p in own)]
    bits = np.array(hashes)  # (N, 2, 64)

    def score(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        flat = [bits[left, way].astype(np.float32) * 2 - 1 for way in (0, 1)]
        agree = [way @ (bits[right, 0].astype(np.float32) * 2 - 1).T for way in flat]
        return (np.maximum(*agree) / 64 + 1) / 2

    return _across(own, score, 1 - PHOTO_BITS / 64)


def same_sound(own: list[Piece]) -> Pairs:
    """Score: share of the peak pairs of the clip with fewer that the other has too."""
    return _across(own, _shared([_peak_pairs(piece.part) for piece in own], "smaller"), SOUND_SHARE)


def same_text(own: list[Piece]) -> Pairs:
    """Score: Jaccard similarity of the sets of word triples; texts under three words count as one."""
    vectorizer = HashingVectorizer(ngram_range=(3, 3), binary=True, norm=None, alternate_sign=False, n_features=2**20)
    short = [text if len(text.split()) > 2 else f"{text} . . ." for text in (piece.part.text for piece in own)]
    return _across(own, _shared(vectorizer.transform(short), "union"), TEXT_JACCARD)


def shared_samples(own: list[Piece]) -> Pairs:
    """Score: number of remembered runs of samples that both have."""
    runs = [_runs(piece.part.values) for piece in own]
    return _across(own, _shared(runs, "count"), 1.0)


def same_shape(own: list[Piece]) -> Pairs:
    """Score: correlation of the first differences, each recording stretched to 256 steps."""
    rows = np.stack([_shape(piece.part.values) for piece in own])
    return _across(own, lambda left, right: rows[left] @ rows[right].T, CORRELATION)


def _shared(items: list[np.ndarray] | csr_matrix, of: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A score on sets: how many members two share, as a count or as a share of the "smaller" set or the "union"."""
    sets = items if isinstance(items, csr_matrix) else _incidence(items)
    size = np.asarray(sets.sum(axis=1)).ravel()

    def score(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        both = np.asarray((sets[left] @ sets[right].T).todense())
        if of == "count":
            return both
        small = np.minimum(size[left][:, None], size[right][None])
        whole = small if of == "smaller" else size[left][:, None] + size[right][None] - both
        return np.where(small >= 3, both / np.maximum(whole, 1), 0.0)  # of under three members nothing follows

    return score


def _incidence(sets: Iterable[np.ndarray]) -> csr_matrix:
    unique = [np.unique(members) for members in sets]
    _, columns = np.unique(np.concatenate(unique), return_inverse=True)
    rows = np.repeat(np.arange(len(unique)), [len(members) for members in unique])
    return csr_matrix((np.ones(len(columns), np.float32), (rows, columns)))


def _open(photo: Photo) -> Image.Image:
    with Image.open(photo.image if isinstance(photo.image, Path) else io.BytesIO(photo.image)) as image:
        return image.convert("L")


def _phash(image: Image.Image) -> np.ndarray:
    return imagehash.phash(image).hash.ravel()


def _peak_pairs(clip: Clip) -> np.ndarray:
    """Hashes of (frequency, frequency, distance in time) of neighbouring peaks of the spectrogram."""
    samples = read_sound(clip, SOUND_HZ)
    _, _, spectrum = stft(samples, SOUND_HZ, nperseg=256, noverlap=192)  # 32 ms windows, 8 ms steps
    level = np.log(np.abs(spectrum) + 1e-6)
    is_peak = (level == maximum_filter(level, size=(9, 9))) & (level > np.median(level))
    frequency, time = np.nonzero(is_peak)
    order = np.lexsort((frequency, time))
    frequency, time = frequency[order].astype(np.int64), time[order].astype(np.int64)
    hashes = []
    for ahead in range(1, 6):
        step = time[ahead:] - time[:-ahead]
        near = step < 64
        hashes.append((frequency[:-ahead] * 129 + frequency[ahead:])[near] * 64 + step[near])
    return np.concatenate(hashes)


def read_sound(clip: Clip, rate_hz: int) -> np.ndarray:
    """Mono samples (T,) at ``rate_hz``."""
    samples, own_hz = (
        (clip.sound, int(clip.rate_hz)) if not isinstance(clip.sound, Path) else soundfile.read(clip.sound)
    )
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    divisor = np.gcd(own_hz, rate_hz)
    return resample_poly(mono, rate_hz // divisor, own_hz // divisor)


def _runs(values: np.ndarray) -> np.ndarray:
    """Hashes of runs of the first channel that its content picks: the same runs in windows that overlap."""
    column = np.ascontiguousarray(values[:, 0], np.float64)
    if len(column) < RUN:
        return np.zeros(0, np.uint64)
    weights = np.random.default_rng(0).integers(1, 2**63, RUN, dtype=np.uint64) | np.uint64(1)
    windows = np.lib.stride_tricks.sliding_window_view(column.view(np.uint64), RUN)
    moving = np.lib.stride_tricks.sliding_window_view(np.diff(column) != 0, RUN - 1).sum(axis=1) > RUN // 2
    known = np.isfinite(np.lib.stride_tricks.sliding_window_view(column, RUN)).all(axis=1)
    hashes = sum((windows[:, i] * weights[i] for i in range(RUN)), np.zeros(len(windows), np.uint64))
    hashes ^= hashes >> np.uint64(29)
    return hashes[moving & known & (hashes % np.uint64(RUN_EVERY) == 0)]


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
    "photo": [("near-duplicate photos across splits", same_photo)],
    "audio": [("sounds with the same peaks across splits", same_sound)],
    "text": [("texts in the same words across splits", same_text)],
    "signal": [
        ("windows that share samples across splits", shared_samples),
        ("windows of the same shape across splits", same_shape),
    ],
}
