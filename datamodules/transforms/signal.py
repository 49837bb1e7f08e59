"""Prepare wearable signals: derive physiology, resample, set against the person's own rest, scale."""

# Shapes: T input samples, T' steps at rate_hz, C input columns, D channels, E emitted channels.

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence

import numpy as np

from datamodules.records import Signal
from datamodules.transforms.base import Prepare, Prepared
from datamodules.transforms.derive import DERIVATIONS, resample

log = logging.getLogger(__name__)

BASELINES = ("none", "rest_reference")
MAX_UPSAMPLING = 4  # beyond it more than three of four steps would be made up: the rate is wrong, or the sensor is
CLIP = 10.0  # interquartile ranges; one knock of the sensor is hundreds and would own every mean


class PrepareSignal(Prepare):
    """Turn one recording into channels on a regular grid.

    ``derive`` "none" resamples the raw columns, which ``channels`` names in order; otherwise it names an entry of
    ``derive.DERIVATIONS`` and ``channels`` picks from what that makes.
    ``baseline`` "rest_reference" emits four channels for each: the value, its difference to the median of the person's
    rest windows, that median and their spread (median absolute deviation); the windows' times are never read.
    ``is_scaled``: ``scale`` gives (x - median) / interquartile range of the train split (``fit``).
    ``values`` (T', E) float32, 0 where not valid; a step is valid when all its channels are known.
    """

    def __init__(
        self, *, rate_hz: float, channels: Sequence[str], unit: str, derive: str, baseline: str, is_scaled: bool
    ) -> None:
        if rate_hz <= 0:
            raise ValueError(f"PrepareSignal rate_hz is {rate_hz}, expected > 0; set data.modalities.<name>.prepare")
        if derive != "none" and derive not in DERIVATIONS:
            raise ValueError(
                f"derive is {derive!r}, expected none or one of {sorted(DERIVATIONS)}; set "
                f"data.modalities.<name>.prepare.derive"
            )
        known = channels if derive == "none" else DERIVATIONS[derive].channels
        if not channels or not set(channels) <= set(known):
            raise ValueError(
                f"channels are {list(channels)}, expected some of {list(known)} for derive={derive!r}; set "
                f"data.modalities.<name>.prepare.channels"
            )
        if baseline not in BASELINES:
            raise ValueError(
                f"baseline is {baseline!r}, expected one of {BASELINES}; set data.modalities.<name>.prepare.baseline"
            )
        self.rate_hz = rate_hz
        self.channels = tuple(channels)
        self.unit = unit
        self.derive = derive
        self.baseline = baseline
        self.is_scaled = is_scaled
        self._median: np.ndarray | None = None
        self._spread: np.ndarray | None = None
        self._rest: dict[bytes, np.ndarray] = {}

    @property
    def emitted(self) -> tuple[str, ...]:
        """Names of the columns of ``values``; their number is the encoder's channel count."""
        if self.baseline == "none":
            return self.channels
        forms = ("{}", "{}_change", "{}_rest", "{}_rest_spread")
        return tuple(form.format(channel) for form in forms for channel in self.channels)

    def fit(self, prepared: Iterable[Prepared]) -> None:
        """Median and interquartile range of every emitted channel over the valid steps of the train split."""
        if not self.is_scaled:
            return
        steps = [values[valid] for values, valid, _ in prepared]
        if not sum(map(len, steps)):
            raise ValueError(f"no valid step of {self.channels} in the train split; check data.modalities.*.source")
        low, self._median, high = np.percentile(np.concatenate(steps), [25, 50, 75], axis=0)
        self._spread = np.where(high > low, high - low, 1.0)  # a constant channel keeps its unit

    def scale(self, prepared: Prepared) -> Prepared:
        if not self.is_scaled:
            return prepared
        if self._median is None:
            raise ValueError(
                f"no statistics for signal channels {self.channels}; call fit on the train split or load_state first, "
                f"or set data.modalities.<name>.prepare.is_scaled=false"
            )
        values = ((prepared.values - self._median) / self._spread).clip(-CLIP, CLIP)
        return prepared._replace(values=np.where(prepared.valid[:, None], values, 0).astype(np.float32))

    def state(self) -> dict[str, list[float]]:
        if self._median is None:
            return {}
        return {"median": self._median.tolist(), "spread": self._spread.tolist()}

    def load_state(self, state: dict[str, list[float]]) -> None:
        expected = {"median", "spread"} if self.is_scaled else set()
        if set(state) != expected or any(len(numbers) != len(self.emitted) for numbers in state.values()):
            got = {name: len(numbers) for name, numbers in state.items()}
            raise ValueError(
                f"signal statistics are {got}, expected {sorted(expected)} of {len(self.emitted)} numbers each for "
                f"{self.emitted}; they belong to another data.modalities.<name>.prepare"
            )
        if state:
            self._median, self._spread = np.asarray(state["median"]), np.asarray(state["spread"])

    def absent(self) -> Prepared:
        return Prepared(np.zeros((1, len(self.emitted)), np.float32), np.zeros(1, bool), np.zeros(1))

    def __call__(self, part: Signal) -> Prepared:
        self._check(part)
        unmeasured = np.flatnonzero(~np.isfinite(part.values).any(axis=0))
        if len(unmeasured):
            log.warning("signal %r: column %s is NaN throughout; treated as absent", part.key, unmeasured.tolist())
            return self.absent()
        try:
            values = self._derived(part.values, part.rate_hz)
        except ValueError as error:  # what scipy's filters say of a recording shorter than they are
            raise ValueError(
                f"signal {part.key!r}: {len(part.values)} samples at {part.rate_hz:g} Hz are too few to derive "
                f"{self.derive!r}: {error}"
            ) from error
        if self.baseline == "rest_reference":
            values = self._against_rest(part, values)
        valid = np.isfinite(values).all(axis=1)
        if not valid.any():
            log.warning("signal %r: no step with all of %s; treated as absent", part.key, self.channels)
            return self.absent()
        time_s = part.start_s + np.arange(len(values)) / self.rate_hz
        return Prepared(np.where(valid[:, None], values, 0).astype(np.float32), valid, time_s)

    def _check(self, part: Signal) -> None:
        where = "fix the reader or data.modalities.<name>.prepare"
        num = len(self.channels) if self.derive == "none" else DERIVATIONS[self.derive].num_inputs
        if part.rate_hz <= 0:
            raise ValueError(f"signal {part.key!r} has rate {part.rate_hz} Hz, expected > 0; {where}")
        if part.rate_hz < self.rate_hz / MAX_UPSAMPLING:
            raise ValueError(
                f"signal {part.key!r} has rate {part.rate_hz:g} Hz, expected at least "
                f"{self.rate_hz / MAX_UPSAMPLING:g} Hz for steps at {self.rate_hz:g} Hz; {where}"
            )
        if part.unit != self.unit:
            raise ValueError(f"signal {part.key!r} is in {part.unit!r}, expected {self.unit!r}; {where}")
        for name, values in [("values", part.values), *(("reference", window) for window in part.reference)]:
            if values.ndim != 2 or values.shape[1] != num or not len(values):
                raise ValueError(
                    f"signal {part.key!r}: {name} has shape {values.shape}, expected (samples > 0, {num} channels) "
                    f"for derive={self.derive!r}; {where}"
                )

    def _derived(self, values: np.ndarray, rate_hz: float) -> np.ndarray:
        """(T, C) at the recording's rate -> (T', D) at ``rate_hz``."""
        if self.derive == "none":
            return resample(values, rate_hz, self.rate_hz)
        series = DERIVATIONS[self.derive].function(values, rate_hz, self.rate_hz)
        return np.stack([series[channel] for channel in self.channels], axis=1)

    def _derived_rest(self, window: np.ndarray, rate_hz: float) -> np.ndarray:
        """As ``_derived``, remembered: one rest window serves many windows of its person (about 10 kB each)."""
        name = hashlib.blake2b(window.tobytes()).digest()
        if name not in self._rest:
            self._rest[name] = self._derived(window, rate_hz)
        return self._rest[name]

    def _against_rest(self, part: Signal, values: np.ndarray) -> np.ndarray:
        """(T', D) -> (T', 4 D): value, change, rest median, rest spread."""
        measured = [window for window in part.reference if np.isfinite(window).any(axis=0).all()]
        if not measured:
            raise ValueError(
                f"signal {part.key!r} has no measured rest reference ({len(part.reference)} windows); give records a "
                f"reference or set data.modalities.<name>.prepare.baseline=none"
            )
        rest = np.concatenate([self._derived_rest(window, part.rate_hz) for window in measured])
        rest = rest[np.isfinite(rest).all(axis=1)]
        if not len(rest):
            return np.full((len(values), 4 * values.shape[1]), np.nan)
        median = np.median(rest, axis=0)
        spread = np.median(np.abs(rest - median), axis=0)
        constants = np.broadcast_to(np.concatenate([median, spread]), (len(values), 2 * len(median)))
        return np.concatenate([values, values - median, constants], axis=1)
