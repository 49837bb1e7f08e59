"""Say how alike recordings are: the same photo saved again, the same sound cut elsewhere, the same words posted twice.

Photos: perceptual hash, mirrored too (Zauner 2010). Sounds: pairs of spectral peaks (Wang 2003). Texts: Jaccard
similarity of word triples. Each threshold stands beside its reason; all pairs are compared exactly.
"""

# Shapes: N recordings, F frequencies, T times.

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from zlib import crc32

import imagehash
import numpy as np
import soundfile
from PIL import Image, ImageOps
from scipy.ndimage import maximum_filter
from scipy.signal import resample_poly, stft
from scipy.sparse import csr_matrix

from datamodules.records import Clip, Note, Part, Photo

PHOTO_BITS = 6  # of 64: saving and scaling again changes 0 to 4; unrelated photos differ in about 32
SOUND_SHARE = 0.25  # of the peak pairs of the shorter clip; unrelated clips share a few hundredths
TEXT_JACCARD = 0.5  # of word triples: half of what is said is said in the same words
MIN_MEMBERS = 3  # of a set: from fewer that are shared nothing follows
SOUND_HZ = 8000
WORD = re.compile(r"\w\w+")
HASH_PX = 32  # a perceptual hash reads 32 x 32 pixels; a jpg decoded near that size costs a fifth

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]  # rows of the first x rows of the second


def photo_score(photos: list[Photo]) -> Score:
    """Share of the 64 bits that agree, as it is or mirrored."""
    hashes = [[_phash(image), _phash(ImageOps.mirror(image))] for image in map(_open, photos)]
    bits = np.array(hashes, dtype=np.float32) * 2 - 1  # (N, 2, 64)

    def score(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        agree = [bits[left, way] @ bits[right, 0].T for way in (0, 1)]
        return (np.maximum(*agree) / 64 + 1) / 2

    return score


def sound_score(clips: list[Clip]) -> Score:
    """Share of the peak pairs of the clip with fewer that the other has too."""
    return shared([_peak_pairs(clip) for clip in clips], "smaller")


def text_score(notes: list[Note]) -> Score:
    """Jaccard similarity of the sets of word triples; texts of fewer than five words are alike where they are equal."""
    return shared([_triples(note.text) for note in notes], "union")


def shared(items: list[np.ndarray], of: str) -> Score:
    """A score on sets: how many members two share, as a count or as a share of the "smaller" set or the "union"."""
    sets = _incidence(items)
    size = np.asarray(sets.sum(axis=1)).ravel()

    def score(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        both = np.asarray((sets[left] @ sets[right].T).todense())
        if of == "count":
            return both
        small = np.minimum(size[left][:, None], size[right][None])
        whole = small if of == "smaller" else size[left][:, None] + size[right][None] - both
        return np.where(small >= MIN_MEMBERS, both / np.maximum(whole, 1), 0.0)

    return score


ALIKE = {
    "photo": (photo_score, 1 - PHOTO_BITS / 64),
    "audio": (sound_score, SOUND_SHARE),
    "text": (text_score, TEXT_JACCARD),
}  # by source of a record: its score, and the least that makes two recordings one


def joined(having: list[tuple[str, Part]], source: str) -> dict[str, str]:
    """Every name -> the first name of its group: names that have parts alike, directly or through others, are one.

    ``having``: (name, part of kind ``source``) in any order; a name may have many.
    """
    flat = [(name, one) for name, part in having for one in (part if isinstance(part, tuple) else (part,))]
    names, parts = [name for name, _ in flat], [part for _, part in flat]
    score_of, least = ALIKE[source]
    score, rows = score_of(parts), np.arange(len(parts))
    root = {name: name for name in sorted(names)}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for first in range(0, len(rows), 500):  # 500 rows of scores at a time stay small
        some = rows[first : first + 500]
        for i, j in np.argwhere(score(some, rows) >= least):
            one, other = sorted((find(names[first + i]), find(names[j])))
            root[other] = one
    return {name: find(name) for name in root}


def read_sound(clip: Clip, rate_hz: int) -> np.ndarray:
    """Mono samples (T,) at ``rate_hz``."""
    try:
        samples, own_hz = (
            (clip.sound, int(clip.rate_hz)) if not isinstance(clip.sound, Path) else soundfile.read(clip.sound)
        )
    except soundfile.LibsndfileError as error:
        raise ValueError(f"sound {clip.key!r} cannot be read as wav, flac, ogg or mp3: {error}") from error
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    divisor = np.gcd(own_hz, rate_hz)
    return resample_poly(mono, rate_hz // divisor, own_hz // divisor)


def _incidence(sets: Iterable[np.ndarray]) -> csr_matrix:
    unique = [np.unique(members) for members in sets]
    _, columns = np.unique(np.concatenate(unique), return_inverse=True)
    rows = np.repeat(np.arange(len(unique)), [len(members) for members in unique])
    return csr_matrix(
        (np.ones(len(columns), np.float32), (rows, columns)), shape=(len(unique), columns.max(initial=0) + 1)
    )


def _open(photo: Photo) -> Image.Image:
    try:
        with Image.open(photo.image if isinstance(photo.image, Path) else io.BytesIO(photo.image)) as image:
            image.draft("L", (2 * HASH_PX, 2 * HASH_PX))
            return image.convert("L")
    except OSError as error:
        raise ValueError(f"photo {photo.key!r} cannot be read as jpg or png: {error}") from error


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


def _triples(text: str) -> np.ndarray:
    """Hashes of every three words in a row; of fewer than three triples, of the whole text in three ways."""
    words = WORD.findall(text.lower())
    triples = [" ".join(triple) for triple in zip(words, words[1:], words[2:], strict=False)]
    if len(triples) < MIN_MEMBERS:
        triples = [f"{way} {text}" for way in range(MIN_MEMBERS)]
    return np.array([crc32(triple.encode()) for triple in triples], dtype=np.int64)
