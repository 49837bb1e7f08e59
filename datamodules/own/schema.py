"""What a user's record.json and folder.json may say; anything else is an error with its line.

Times are numbers (seconds from any zero, the same zero within a record) or ISO 8601 (without a zone: UTC).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, ValidationError

from datamodules.own.problems import Problems


def to_seconds(value: object) -> object:
    """ISO 8601 text as seconds since 1970; a number as it is."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is neither seconds nor ISO 8601, e.g. 2024-05-01T12:30:00") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


Moment = Annotated[float, BeforeValidator(to_seconds), Field(allow_inf_nan=False)]
SEPARATOR = ";"  # of several photos or labels in one cell of a table
Label = int | float | str | dict[str, float | None] | list[str]  # a class or rank, numbers by name, labels


class Strict(BaseModel):
    """A misspelt key is an error, not an option that does nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class SignalSpec(Strict):
    """How to read a signal; folder.json gives it for all records, record.json may differ in single keys.

    ``rate_hz``: of the samples, or where the file has times, of the grid they are put on (None = their own).
    ``columns``: those to read, in the model's order (None = all but the time). ``time_column``: None = time_s or time
    where there is one. ``max_gap_s``, ``is_sorting``: see timeline. ``limits``: the sensor's range, runs at its ends
    are not measured; ``flat_s``: nor are lines that last so long. ``rest``: files of the same person at rest.
    """

    file: str | None = None
    unit: str | None = None
    rate_hz: PositiveFloat | None = None
    columns: list[str] | None = None
    time_column: str | None = None
    at: Moment | None = None
    max_gap_s: PositiveFloat | None = None
    is_sorting: bool = False
    limits: tuple[float, float] | None = None
    flat_s: PositiveFloat | None = None
    rest: list[str] = []


class FileAt(Strict):
    """A photo, sound or note: ``at`` is when it was taken, began or was written; None = the moment of prediction."""

    file: str
    at: Moment | None = None


class RecordFile(Strict):
    """One person at one moment. ``predicted_at``: None = the end of the latest recording."""

    person: str = Field(min_length=1)
    split: Literal["train", "val", "test"] | None = None
    predicted_at: Moment | None = None
    labels: dict[str, Label | None] = {}
    signals: dict[str, SignalSpec] = {}
    photos: list[FileAt] = []
    audio: FileAt | None = None
    text: FileAt | None = None
    note: str | None = Field(default=None, description="the text itself, in place of a file")


class FolderFile(Strict):
    """Defaults of every record. ``labels``: classes, or names of numbers, by head; checked against when given."""

    labels: dict[str, list[str]] = {}
    signals: dict[str, SignalSpec] = {}


Model = TypeVar("Model", bound=Strict)


def read_json(path: Path, model: type[Model], problems: Problems) -> Model | None:
    """The file as ``model``; None after noting every problem with its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text)
    except json.JSONDecodeError as error:
        return problems.error(path, f"not JSON: {error.msg}", error.lineno)
    except (OSError, UnicodeDecodeError) as error:
        return problems.error(path, f"cannot be read: {error}")
    return validate(content, model, problems, path, lambda keys: _line_of(text, keys))


def validate(content: object, model: type[Model], problems: Problems, path: Path, line_of) -> Model | None:
    """``content`` as ``model``; None after noting every problem."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for detail in error.errors():
            keys = [str(key) for key in detail["loc"]]
            got = f", got {detail['input']!r:.60}" if detail["type"] != "missing" else ""
            problems.error(path, f"{'.'.join(keys) or 'the file'}: {detail['msg']}{got}", line_of(keys))
        return None


def _line_of(text: str, keys: list[str]) -> int | None:
    """The line where the innermost of ``keys`` that the text has is written, searched from the outermost on."""
    place, line = 0, None
    for key in keys:
        found = text.find(f'"{key}"', place)
        if found >= 0:
            place, line = found, text.count("\n", 0, found) + 1
    return line
