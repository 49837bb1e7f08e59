"""Simulate five seconds of microphone: a calm or distressed voice, snoring, or another body sound, over background.

Voices are source-filter syntheses (Fant 1960): a glottal pulse train through vowel formants. Distress is a higher and
wider pitch, faster syllables, less spectral tilt and more jitter (Scherer 2003, "Vocal communication of emotion").
"""

# Shapes: T samples at RATE_HZ.

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, lfilter, sosfilt

RATE_HZ = 16_000
CLIP_S = 5.0
VOWELS_HZ = (  # first three formants of a, e, i, o, u, adult means (Peterson & Barney 1952), with schwa
    (730, 1090, 2440),
    (530, 1840, 2480),
    (270, 2290, 3010),
    (570, 840, 2410),
    (300, 870, 2240),
    (500, 1500, 2500),
)


def simulate_sound(sound: str, rng: np.random.Generator) -> np.ndarray:
    """(T,) float32 in -1..1 at RATE_HZ: ``sound`` is "calm", "distressed", "snoring" or "other"."""
    make = {"calm": _voice, "distressed": _voice, "snoring": _snoring, "other": _other}[sound]
    foreground = make(rng, is_distressed=True) if sound == "distressed" else make(rng)
    foreground /= np.sqrt(np.mean(foreground**2))
    snr_db, loudness_db = rng.uniform(8, 25), rng.uniform(-34, -20)
    mixed = foreground + 10 ** (-snr_db / 20) * _background(rng)
    mixed *= 10 ** (loudness_db / 20) / np.sqrt(np.mean(mixed**2))
    return (mixed / max(1.0, np.abs(mixed).max() / 0.99)).astype(np.float32)  # clicks would clip: turn them down


def _voice(rng: np.random.Generator, *, is_distressed: bool = False) -> np.ndarray:
    """Syllables of random vowels in phrases with pauses."""
    num = int(CLIP_S * RATE_HZ)
    is_low_voice = rng.random() < 0.5
    base_hz = rng.uniform(90, 140) if is_low_voice else rng.uniform(170, 230)
    tract = 1.0 if is_low_voice else 1.15  # shorter vocal tract: formants about 15 % higher (Peterson & Barney 1952)
    if is_distressed:
        base_hz *= rng.uniform(1.4, 1.8)
        rate, pitch_semitones, jitter, tilt, pause = rng.uniform(5, 6.5), rng.uniform(3, 5), 0.02, 0.75, 0.08
    else:
        rate, pitch_semitones, jitter, tilt, pause = rng.uniform(2.2, 3.4), rng.uniform(0.6, 1.4), 0.004, 0.96, 0.15

    envelope, voice = np.zeros(num), np.zeros(num)
    melody = gaussian_filter1d(rng.normal(size=num // 160), sigma=100 / rate / 1.5)  # one value every 10 ms
    melody *= pitch_semitones / melody.std()
    melody += jitter * 17.3 * rng.normal(size=len(melody))  # 17.3 semitones per unit of relative frequency
    pitch_hz = np.interp(np.arange(num), np.arange(len(melody)) * 160, base_hz * 2 ** (melody / 12))
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / RATE_HZ), prepend=0) * rng.uniform(0.9, 1.1, num)
    source = lfilter([1], [1, -tilt], pulses) + 0.01 * rng.normal(size=num)

    start = int(rng.uniform(0, 0.3) * RATE_HZ)
    while start < num:
        length = int(RATE_HZ / rate * rng.uniform(0.8, 1.2))
        stop = min(start + length, num)
        if rng.random() > pause:
            syllable = source[start:stop]
            for formant_hz in VOWELS_HZ[rng.integers(len(VOWELS_HZ))]:
                syllable = _resonate(syllable, formant_hz * tract, bandwidth_hz=90)
            voice[start:stop] = syllable / (np.abs(syllable).max() + 1e-9)
            envelope[start:stop] = np.hanning(stop - start) ** 0.5 * rng.uniform(0.6, 1)
        start = stop
    return voice * envelope + 1e-6


def _snoring(rng: np.random.Generator) -> np.ndarray:
    """Every few seconds an inhalation that flutters at 30 to 70 Hz below about 800 Hz, then a soft exhalation."""
    num = int(CLIP_S * RATE_HZ)
    time_s = np.arange(num) / RATE_HZ
    flutter_hz, period_s = rng.uniform(30, 70), rng.uniform(2.4, 3.6)
    flutter = np.sin(2 * np.pi * np.cumsum(flutter_hz * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time_s))) / RATE_HZ)
    rasp = rng.normal(size=num) * np.maximum(flutter, 0) ** 3 + 0.05 * rng.normal(size=num)
    rasp = _resonate(_resonate(rasp, rng.uniform(150, 300), 120), rng.uniform(450, 800), 250)
    hiss = 0.06 * sosfilt(butter(2, (400, 2500), "bandpass", fs=RATE_HZ, output="sos"), rng.normal(size=num))
    phase = (time_s + rng.uniform(0, period_s)) % period_s / period_s
    inhale, exhale = _bump(phase, 0.0, 0.45), _bump(phase, 0.55, 0.9)
    return rasp / rasp.std() * inhale + hiss / hiss.std() * 0.12 * exhale + 1e-6


def _other(rng: np.random.Generator) -> np.ndarray:
    """Coughing, audible breathing or typing: none of speech or snoring."""
    kind = ("cough", "breath", "typing")[rng.integers(3)]
    num = int(CLIP_S * RATE_HZ)
    time_s = np.arange(num) / RATE_HZ
    noise = rng.normal(size=num)
    if kind == "breath":
        phase = (time_s + rng.uniform(0, 3)) % rng.uniform(2, 3)
        band = butter(2, (rng.uniform(300, 500), rng.uniform(2000, 3500)), "bandpass", fs=RATE_HZ, output="sos")
        return sosfilt(band, noise) * (_bump(phase, 0, 0.9) + 0.6 * _bump(phase, 1.0, 1.9)) + 1e-6
    is_cough = kind == "cough"
    envelope = np.zeros(num)
    for onset_s in rng.uniform(0.1, CLIP_S - 0.5, rng.integers(2, 5) if is_cough else rng.integers(12, 30)):
        since = time_s - onset_s
        decay_s = rng.uniform(0.08, 0.16) if is_cough else rng.uniform(0.004, 0.012)
        envelope += rng.uniform(0.5, 1) * (since >= 0) * np.exp(-np.maximum(since, 0) / decay_s)
    band_hz = (250, 5000) if is_cough else (1500, 7000)
    return sosfilt(butter(2, band_hz, "bandpass", fs=RATE_HZ, output="sos"), noise) * envelope + 1e-6


def _background(rng: np.random.Generator) -> np.ndarray:
    """Room noise of unit power: coloured between pink and brown, at times with mains hum."""
    num = int(CLIP_S * RATE_HZ)
    frequency = np.fft.rfftfreq(num, 1 / RATE_HZ)
    shape = np.maximum(frequency, 30.0) ** -rng.uniform(0.4, 1.0)
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=num)) * shape, num)
    noise /= noise.std()
    if rng.random() < 0.3:
        noise += rng.uniform(0.3, 1) * np.sin(2 * np.pi * 100 * np.arange(num) / RATE_HZ)
    return noise / noise.std()


def _resonate(x: np.ndarray, frequency_hz: float, bandwidth_hz: float) -> np.ndarray:
    """Two-pole resonator (Klatt 1980)."""
    radius = np.exp(-np.pi * bandwidth_hz / RATE_HZ)
    a1, a2 = -2 * radius * np.cos(2 * np.pi * frequency_hz / RATE_HZ), radius**2
    return lfilter([1 + a1 + a2], [1, a1, a2], x)


def _bump(phase: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Smooth 0-1-0 between ``start`` and ``stop``."""
    inside = np.clip((phase - start) / (stop - start), 0, 1)
    return np.sin(np.pi * inside) ** 2
