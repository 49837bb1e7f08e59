"""Look over a public set as over a folder of one's own: everything is read and decoded, counts and faults are told."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

from rich.table import Table

from datamodules.inspect.public import build_cohort, read_config, read_table
from datamodules.own.problems import Problems
from datamodules.own.tables import SilentError, check_photo, check_sound
from datamodules.records import Clip, HealthRecord, Note, Part, Photo, Signal
from datamodules.splits import SPLITS
from fusion.targets import Target


def read_set(
    name: str, overrides: Iterable[str], data_dir: Path, problems: Problems
) -> tuple[dict[str, list[HealthRecord]], dict[str, Target]]:
    """Records by split and targets by name; no records where the set cannot be read, which is then a problem.

    ``overrides``: as of train.py.
    """
    cohort = build_cohort(read_config(name, overrides), data_dir)
    records: dict[str, list[HealthRecord]] = {}
    with _caught(data_dir, problems):
        records = {part: cohort.records(part) for part in SPLITS}
    pieces: dict[str, Signal | Photo | Clip | Note] = {}
    for record in (record for own in records.values() for record in own):
        if not record.parts:
            problems.error(data_dir, f"record {record.record_id} has nothing in it")
        pieces |= {piece.key: piece for part in record.parts.values() for piece in _each(part)}
    for piece in pieces.values():
        _decode(piece, data_dir, problems)
    return records, cohort.targets


def table_report(name: str, data_dir: Path, problems: Problems) -> Table:
    """Rows of a table that no training run reads."""
    table = Table("part", "rows", title=f"{name}: what is there")
    with _caught(data_dir, problems):
        for part, count in read_table(name, data_dir).items():
            table.add_row(part, str(count))
    return table


@contextmanager
def _caught(data_dir: Path, problems: Problems) -> Iterator[None]:
    """Note what a reader raises; of files cut short it is what unpacks them that speaks."""
    try:
        with problems.caught(data_dir):
            yield
    except (EOFError, KeyError, BadZipFile, zlib.error) as error:
        problems.error(
            data_dir, f"a file is cut short or not as its home publishes it: {type(error).__name__}: {error}"
        )


def _each(part: Part) -> Iterator[Signal | Photo | Clip | Note]:
    yield from part if isinstance(part, tuple) else (part,)


def _decode(piece: Signal | Photo | Clip | Note, data_dir: Path, problems: Problems) -> None:
    """Read a recording to its last byte; what cannot be read is an error of its file, silence a warning."""
    if isinstance(piece, Note) and not piece.text.strip():
        problems.error(data_dir, f"text {piece.key} is empty")
    path = piece.image if isinstance(piece, Photo) else piece.sound if isinstance(piece, Clip) else None
    if not isinstance(path, Path):
        return
    try:
        (check_photo if isinstance(piece, Photo) else check_sound)(path)
    except SilentError as error:
        problems.warn(path, error)  # some sets hold silence by design
    except (ValueError, OSError) as error:
        problems.error(path, error)
