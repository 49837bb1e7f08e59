"""Make one HealthRecord of what a user says of a record and the files it names; problems are noted, not raised."""

# Shapes: T samples, C channels.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from datamodules.own.files import read_clip, read_note
from datamodules.own.problems import Problems
from datamodules.own.schema import SEPARATOR, FileAt, RecordFile, SignalSpec
from datamodules.own.signal import read_samples
from datamodules.own.tables import check_photo, check_sound
from datamodules.records import HealthRecord, Note, Part, Photo, Signal
from fusion.targets import Target

MAX_SPAN_S = 400 * 86_400.0  # parts of one record further apart than a year do not share one zero of time
FUTURE_S = 1e-3  # rounding of clocks


@dataclass(frozen=True, kw_only=True)
class Found:
    """A record as its owner wrote it: ``path`` is its record.json, or the index that has it on ``line``."""

    record_id: str
    folder: Path
    path: Path
    line: int | None
    said: RecordFile


WRITTEN_AS = {  # kind of a target: how records write a label of it; others as a class
    "numbers": (dict, '{"name": number}'),
    "multilabel": (list, '["label", ...]'),
}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How records are read.

    ``targets``: what records may be labelled with, by name; {} = take any. ``signals``: defaults by name. ``units``:
    by signal, the unit wanted. ``is_decoding``: look into photos and sounds to their last byte, as the check does.
    """

    targets: dict[str, Target]
    signals: dict[str, SignalSpec]
    units: dict[str, str]
    is_decoding: bool


class _Timed:
    """A part and the span that it covers on the record's own clock; None where it has no time."""

    def __init__(self, place: Callable[[float], Part], length_s: float, start_s: float | None):
        self.place, self.length_s, self.start_s = place, length_s, start_s

    @property
    def end_s(self) -> float | None:
        return None if self.start_s is None else self.start_s + self.length_s


def build_record(found: Found, reading: Reading, problems: Problems) -> HealthRecord | None:
    """The record, or None where nothing of it can be used."""
    said, before = found.said, len(problems.errors)
    read = {name: _signal(found, name, spec, reading, problems) for name, spec in said.signals.items()}
    photos = [_photo(found, item, reading, problems) for item in said.photos]
    read["audio"] = _sound(found, said.audio, reading, problems) if said.audio else None
    read["text"] = _text(found, problems)
    timed = {name: part for name, part in read.items() if part is not None}
    photos = [photo for photo in photos if photo is not None]
    ends_s = [part.end_s for part in [*timed.values(), *photos] if part.end_s is not None]
    now_s = said.predicted_at if said.predicted_at is not None else max(ends_s, default=0.0)
    parts = {name: _placed(found, name, part, now_s, problems) for name, part in timed.items()}
    if photos:
        parts["photo"] = tuple(_placed(found, "photo", photo, now_s, problems) for photo in photos)
    if not parts:
        if len(problems.errors) == before:  # otherwise it is said already why nothing is left
            problems.error(found.path, "has nothing in it: no signal, photo, sound or text", found.line)
        return None
    targets = {name: _label(found, name, value, reading, problems) for name, value in said.labels.items()}
    return HealthRecord(
        record_id=found.record_id,
        person_id=said.person,
        parts=parts,
        targets={name: target for name, target in targets.items() if target is not None},
        sources={"person": said.person},
    )


def _signal(found: Found, name: str, own: SignalSpec, reading: Reading, problems: Problems) -> _Timed | None:
    spec = reading.signals.get(name, SignalSpec()).model_copy(
        update={key: getattr(own, key) for key in own.model_fields_set}
    )
    if spec.file is None:
        return problems.error(found.path, f"signal {name!r} names no file", found.line)
    paths = [_existing(found, file, problems) for file in (spec.file, *spec.rest)]
    unit = reading.units.get(name)
    main, *rest = (
        path and read_samples(path, name=name, spec=spec, unit=unit, problems=problems) for path in paths
    )  # fmt: skip
    if main is None or None in rest:
        return None
    for path, other in zip(paths[1:], rest, strict=True):
        if abs(other.rate_hz / main.rate_hz - 1) > 0.01:
            return problems.error(path, f"rest runs at {other.rate_hz:g} Hz, the signal at {main.rate_hz:g} Hz")
    signal = Signal(
        key=f"{found.record_id}/{name}", values=main.values, rate_hz=main.rate_hz, unit=unit or spec.unit, start_s=0.0,
        reference=tuple(other.values for other in rest),
    )  # fmt: skip
    length_s = len(main.values) / main.rate_hz
    return _Timed(lambda start_s: replace(signal, start_s=start_s), length_s, main.start_s)


def _photo(found: Found, item: FileAt, reading: Reading, problems: Problems) -> _Timed | None:
    path = _existing(found, item.file, problems)
    if path is None:
        return None
    with problems.caught(path):
        if reading.is_decoding:
            check_photo(path)
        photo = Photo(key=f"{found.record_id}/{item.file}", image=path)
        return _Timed(lambda time_s: replace(photo, time_s=time_s), 0.0, item.at)
    return None


def _sound(found: Found, item: FileAt, reading: Reading, problems: Problems) -> _Timed | None:
    path = _existing(found, item.file, problems)
    if path is None:
        return None
    with problems.caught(path):
        if reading.is_decoding:
            check_sound(path)
        clip = replace(read_clip(str(path)), key=f"{found.record_id}/{item.file}")
        return _Timed(lambda start_s: replace(clip, start_s=start_s), -clip.start_s, item.at)
    return None


def _text(found: Found, problems: Problems) -> _Timed | None:
    item, text, at = found.said.text, found.said.note, None
    if item is not None:
        path, at = _existing(found, item.file, problems), item.at
        if path is None:
            return None
        with problems.caught(path):
            text = read_note(f"@{path}").text
            if not text.strip():
                raise ValueError("text is empty; leave it out of the record")
    if not text or not text.strip():
        return None
    note = Note(key=f"{found.record_id}/text", text=text)
    return _Timed(lambda time_s: replace(note, time_s=time_s), 0.0, at)


def _placed(found: Found, name: str, part: _Timed, now_s: float, problems: Problems) -> Part:
    """The part relative to the moment of prediction; what has no time ends at that moment."""
    start_s = -part.length_s if part.start_s is None else part.start_s - now_s
    if start_s + part.length_s > FUTURE_S:
        problems.error(
            found.path,
            f"{name} reaches {start_s + part.length_s:.4g} s beyond predicted_at; the future may not be read",
            found.line,
        )
    if start_s < -MAX_SPAN_S:
        problems.error(
            found.path,
            f"{name} begins {-start_s / 86_400:.0f} days before the moment of prediction; times of one record must "
            f"share one zero (all ISO 8601, or all seconds)",
            found.line,
        )
    return part.place(start_s)


def _label(found: Found, name: str, value: object, reading: Reading, problems: Problems) -> object:
    """A label as HealthRecord holds it; None where there is none or it is wrong."""
    if value is None or not reading.targets:
        return value
    target = reading.targets.get(name)
    if target is None:
        return problems.error(
            found.path, f"label {name!r} is unknown, expected some of {list(reading.targets)}", found.line
        )
    if isinstance(value, str) and target.kind == "multilabel":  # of a table's cell
        value = [one.strip() for one in value.split(SEPARATOR) if one.strip()]
    wanted = WRITTEN_AS.get(target.kind, (str | int | float, "a class"))
    if not isinstance(value, wanted[0]):
        said = f"label {value!r} of {name!r}: expected {wanted[1]}, as data.targets.{name}.kind is {target.kind}"
        return problems.error(found.path, said, found.line)
    given = list(value) if isinstance(value, dict | list) else [value]
    for one in given:
        if str(one) not in target.names:
            said = f"label {one!r} of {name!r} is unknown, expected one of {list(target.names)}"
            return problems.error(found.path, said, found.line)
    if target.kind == "numbers":
        return np.array([np.nan if value.get(one) is None else value[one] for one in target.names], dtype=np.float32)
    if target.kind == "multilabel":
        return np.array([one in set(map(str, given)) for one in target.names], dtype=np.int64)
    return target.names.index(str(value))


def _existing(found: Found, file: str, problems: Problems) -> Path | None:
    path = found.folder / file
    if not path.is_file():
        return problems.error(found.path, f"names {file!r}, but there is no such file in {found.folder}", found.line)
    return path
