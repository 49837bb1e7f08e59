"""Sound to log-mel frames."""

# Shapes: S samples, T frames, F mel bands.

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio

from datamodules.records import Clip
from datamodules.transforms.base import Augment, Prepare, Prepared


class PrepareAudio(Prepare):
    """Decode, resample, cut and turn into log-mel frames that lie wholly inside the recording.

    ``max_s``: seconds kept from the start. ``is_equal_loudness`` scales each clip to one RMS, so that loudness
    cannot tell the class. ``values``: (T, F) natural log of mel power; ``scale`` standardises each band by the
    train split's mean and standard deviation, unless not ``is_scaled``. ``time_s`` is the centre of each frame.
    ``mel_scale``: htk, or slaney with bands of equal area (librosa's default).
    """

    def __init__(
        self, *, rate_hz: int, max_s: float, num_mels: int, window_s: float, hop_s: float, low_hz: float,
        high_hz: float, is_equal_loudness: bool, mel_scale: str = "htk", is_scaled: bool = True,
        max_megabytes: float = 200.0,
    ):  # fmt: skip
        if not 0 <= low_hz < high_hz <= rate_hz / 2:
            raise ValueError(
                f"audio band {low_hz}-{high_hz} Hz must lie within 0-{rate_hz / 2} Hz; set low_hz, high_hz"
            )
        self.rate_hz, self.max_s, self.num_mels = rate_hz, max_s, num_mels
        self.hop_s, self.window = hop_s, round(window_s * rate_hz)
        self.is_equal_loudness, self.max_megabytes = is_equal_loudness, max_megabytes
        self.is_scaled = is_scaled
        self.to_mel = torchaudio.transforms.MelSpectrogram(
            sample_rate=rate_hz, n_fft=self.window, hop_length=round(hop_s * rate_hz), n_mels=num_mels, f_min=low_hz,
            f_max=high_hz, center=False, mel_scale=mel_scale, norm="slaney" if mel_scale == "slaney" else None,
        )  # fmt: skip
        self.mean: np.ndarray | None = None
        self.std: np.ndarray | None = None

    def __call__(self, part: Clip) -> Prepared:
        samples = self._samples(part)[: round(self.max_s * self.rate_hz)]
        if len(samples) < self.window:
            raise ValueError(
                f"clip {part.key!r} has {len(samples)} samples at {self.rate_hz} Hz, expected at least one frame of "
                f"{self.window}; drop it or shorten data.modalities.audio.prepare.window_s"
            )
        if self.is_equal_loudness:
            samples = 0.1 * samples / samples.square().mean().sqrt().clamp(min=1e-5)
        mel = torch.log(self.to_mel(samples).T + 1e-6).numpy()
        centre_s = part.start_s + (np.arange(len(mel)) * self.to_mel.hop_length + self.window / 2) / self.rate_hz
        return Prepared(mel, np.ones(len(mel), dtype=bool), centre_s)

    def absent(self) -> Prepared:
        return Prepared(np.zeros((1, self.num_mels), dtype=np.float32), np.zeros(1, dtype=bool), np.zeros(1))

    def fit(self, prepared: Iterable[Prepared]) -> None:
        if not self.is_scaled:
            return
        frames = np.concatenate([p.values[p.valid] for p in prepared])
        self.mean, self.std = frames.mean(0), frames.std(0) + 1e-3

    def scale(self, prepared: Prepared) -> Prepared:
        if not self.is_scaled:
            return prepared
        if self.mean is None:
            raise ValueError("audio has no statistics; fit on the train split or load the model's preprocessing first")
        return prepared._replace(values=((prepared.values - self.mean) / self.std).astype(np.float32))

    def state(self) -> dict[str, list[float]]:
        return {} if self.mean is None else {"mean": self.mean.tolist(), "std": self.std.tolist()}

    def load_state(self, state: dict[str, list[float]]) -> None:
        if not self.is_scaled:
            return super().load_state(state)
        got = {name: len(numbers) for name, numbers in state.items()}
        if got != {"mean": self.num_mels, "std": self.num_mels}:
            raise ValueError(
                f"audio statistics are {got}, expected mean and std of {self.num_mels} mel bands each; they belong to "
                f"another data.modalities.audio.prepare"
            )
        self.mean, self.std = np.asarray(state["mean"]), np.asarray(state["std"])

    def _samples(self, clip: Clip) -> torch.Tensor:
        """Decode to mono (S,) float32 at ``rate_hz``."""
        if isinstance(clip.sound, Path):
            samples, rate_hz = self._read(clip)
        else:
            samples, rate_hz = clip.sound, clip.rate_hz
        if not rate_hz or rate_hz <= 0:
            raise ValueError(f"clip {clip.key!r} has rate_hz {rate_hz}, expected a positive rate for raw samples")
        if np.ndim(samples) != 1:
            raise ValueError(f"clip {clip.key!r} has shape {np.shape(samples)}, expected (samples,) of one channel")
        if len(samples) == 0:
            raise ValueError(f"clip {clip.key!r} has no samples")
        if not np.isfinite(samples).all():
            raise ValueError(f"clip {clip.key!r} has NaN or inf samples")
        mono = torch.as_tensor(np.asarray(samples, dtype=np.float32))
        return torchaudio.functional.resample(mono, int(rate_hz), self.rate_hz)

    def _read(self, clip: Clip) -> tuple[np.ndarray, int]:
        if not clip.sound.is_file():
            raise ValueError(f"clip {clip.key!r}: no file at {clip.sound}")
        megabytes = clip.sound.stat().st_size / 1e6
        if megabytes > self.max_megabytes:
            raise ValueError(
                f"clip {clip.key!r} has {megabytes:.0f} MB, expected at most {self.max_megabytes:.0f} MB; cut it or "
                f"raise data.modalities.audio.prepare.max_megabytes"
            )
        try:
            samples, rate_hz = soundfile.read(clip.sound, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise ValueError(f"clip {clip.key!r} cannot be read as wav, flac, ogg or mp3: {error}") from error
        return samples.mean(axis=1), rate_hz


class AugmentMel(Augment):
    """Shift all mels up or down, then blank one random band of mels and one random stretch of time.

    The shift, by up to ``max_shift`` bands, is a shorter or longer vocal tract (Jaitly and Hinton 2013): few voices
    stand for more. The blanks are SpecAugment (Park et al. 2019, section 2).
    """

    def __init__(self, *, max_mels: int, max_time_fraction: float, max_shift: float = 0.0):
        self.max_mels, self.max_time_fraction, self.max_shift = max_mels, max_time_fraction, max_shift

    def __call__(self, prepared: Prepared, generator: torch.Generator) -> Prepared:
        width, place, length, start, up = torch.rand(5, generator=generator).tolist()
        values = _shifted(prepared.values, self.max_shift * (2 * up - 1))
        num_frames, num_mels = values.shape
        mels, frames = round(width * self.max_mels), round(length * self.max_time_fraction * num_frames)
        first_mel, first_frame = round(place * (num_mels - mels)), round(start * (num_frames - frames))
        values[:, first_mel : first_mel + mels] = 0.0  # 0 = the train mean, because augment runs after scale
        values[first_frame : first_frame + frames] = 0.0
        return prepared._replace(values=values)


def _shifted(values: np.ndarray, bands: float) -> np.ndarray:
    """A copy of (T, F) whose band f holds what was at f + ``bands``, between bands linearly; the edges repeat."""
    num_mels = values.shape[1]
    at = (np.arange(num_mels) + bands).clip(0, num_mels - 1)
    below = np.floor(at).astype(int)
    share = (at - below).astype(values.dtype)
    return values[:, below] * (1 - share) + values[:, np.minimum(below + 1, num_mels - 1)] * share
