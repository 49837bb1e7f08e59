"""Find a user's records: a directory each with its record.json, or a line each of an index of paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from datamodules.own.problems import Problems
from datamodules.own.record import Found
from datamodules.own.schema import SEPARATOR, FileAt, FolderFile, RecordFile, SignalSpec, read_json, validate
from datamodules.own.tables import PHOTOS, SOUNDS, TABLES, TEXTS

RECORD, DEFAULTS = "record.json", "folder.json"
PLAIN = ("record", "person", "split", "predicted_at", "note")  # columns of an index; the others are below
PATHS = ("photo", "audio", "text")  # photo: several, parted by ;


def find_records(root: Path, problems: Problems) -> tuple[FolderFile, list[Found]]:
    """Defaults and every record under ``root``, a directory or an index (csv or parquet); problems are noted."""
    home = root if root.is_dir() else root.parent
    defaults = FolderFile()
    if (home / DEFAULTS).is_file():
        defaults = read_json(home / DEFAULTS, FolderFile, problems) or defaults
    found = list(_directories(root, problems) if root.is_dir() else _lines(root, problems))
    names = [record.record_id for record in found]
    for record in found:
        if names.count(record.record_id) > 1:
            problems.error(record.path, f"record {record.record_id!r} is there twice", record.line)
    if not names and not problems.errors:
        problems.error(root, f"has no records: expected directories with a {RECORD}, or an index csv or parquet")
    _check_splits(found, problems)
    return defaults, found


def _directories(root: Path, problems: Problems) -> Iterator[Found]:
    try:
        folders = [path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    except OSError as error:
        return problems.error(root, f"cannot be read: {error}")
    for folder in folders:
        path = folder / RECORD
        try:
            is_there = path.is_file()
            files = sorted(file for file in folder.iterdir() if file != path and not file.name.startswith("."))
        except OSError as error:
            problems.error(folder, f"cannot be read: {error}")
            continue
        if not is_there:
            problems.error(folder, f'has no {RECORD}; write at least {{"person": ...}}')
            continue
        said = read_json(path, RecordFile, problems)
        if said is not None:
            found = Found(record_id=folder.name, folder=folder, path=path, line=None, said=said)
            yield replace(found, said=_with_files(found, files, problems))


def _with_files(found: Found, files: list[Path], problems: Problems) -> RecordFile:
    """What was said plus the files that lie there and are not named."""
    said = found.said
    named = {file for spec in said.signals.values() for file in (spec.file, *spec.rest)}
    named |= {item.file for item in (*said.photos, said.audio, said.text) if item is not None}
    own = {kind: [] for kind in (TABLES, PHOTOS, SOUNDS, TEXTS)}
    for path in files:
        kind = next((kind for kind in own if path.suffix.lower() in kind), None)
        if path.name not in named and kind is None:
            problems.warn(path, "is of no kind that is read; ignored")
        elif path.name not in named:
            own[kind].append(path.name)
    signals = dict(said.signals)
    for file in own[TABLES]:
        name, spec = Path(file).stem, signals.get(Path(file).stem, SignalSpec())
        if spec.file is not None:
            problems.error(found.folder / file, f"is a second file for signal {name!r}, beside {spec.file!r}")
        signals[name] = SignalSpec.model_validate(spec.model_dump(exclude_unset=True) | {"file": file})
    said_sounds = [said.audio] if said.audio else []
    said_texts = [said.text or said.note] if said.text or said.note else []
    sounds = said_sounds + [FileAt(file=file) for file in own[SOUNDS]]
    texts = said_texts + [FileAt(file=file) for file in own[TEXTS]]
    for what, several in (("sounds", sounds), ("texts", texts)):
        if len(several) > 1:
            problems.error(found.folder, f"has {len(several)} {what}, expected one a record")
    photos = [*said.photos, *(FileAt(file=file) for file in own[PHOTOS])]
    text = texts[0] if texts and isinstance(texts[0], FileAt) else None
    return said.model_copy(
        update={"signals": signals, "photos": photos, "audio": sounds[0] if sounds else None, "text": text}
    )


def _lines(index: Path, problems: Problems) -> Iterator[Found]:
    try:
        if index.suffix.lower() == ".parquet":
            rows = pd.read_parquet(index)
        elif index.suffix.lower() == ".csv":
            rows = pd.read_csv(index, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        else:
            raise ValueError("is neither a directory nor an index in csv or parquet")
    except (OSError, ValueError) as error:
        return problems.error(index, f"cannot be read: {error}")
    unknown = [c for c in rows if c not in (*PLAIN, *PATHS) and not c.startswith(("label:", "signal:"))]
    if unknown or "person" not in rows:
        what = f"unknown column {unknown[0]!r}" if unknown else "no column 'person'"
        expected = ", ".join((*PLAIN, *PATHS, "label:HEAD", "label:HEAD.NAME", "signal:NAME"))
        return problems.error(index, f"{what}; an index has {expected}", 1)
    for line, row in enumerate(rows.to_dict("records"), 2):
        cells = {key: cell for key, cell in row.items() if cell is not None and cell == cell and cell != ""}
        said = validate(_said(cells), RecordFile, problems, index, lambda _, line=line: line)
        if said is not None:
            name = str(cells.get("record", f"line{line}"))
            yield Found(record_id=name, folder=index.parent, path=index, line=line, said=said)


def _said(cells: dict[str, object]) -> dict[str, object]:
    """One line of an index as a record.json would say it."""

    def under(prefix: str) -> dict[str, object]:
        return {key.removeprefix(prefix): cell for key, cell in cells.items() if key.startswith(prefix)}

    said = {key: cells[key] for key in ("split", "note") if key in cells}
    said |= {"person": str(cells.get("person", "")), "labels": _labels(under("label:"))}
    said |= {"signals": {name: {"file": file} for name, file in under("signal:").items()}}
    said |= {key: {"file": cells[key]} for key in ("audio", "text") if key in cells}
    if "predicted_at" in cells:
        said["predicted_at"] = _number(cells["predicted_at"])
    if "photo" in cells:
        said["photos"] = [{"file": file.strip()} for file in str(cells["photo"]).split(SEPARATOR)]
    return said


def _labels(cells: dict[str, object]) -> dict[str, object]:
    """HEAD -> class, HEAD.NAME -> a number of that name."""
    labels: dict[str, object] = {}
    for column, cell in cells.items():
        head, _, name = column.partition(".")
        if name:
            labels.setdefault(head, {})[name] = _number(cell)
        else:
            labels[head] = cell
    return labels


def _number(cell: object) -> object:
    """A csv has only text: what reads as a number is one."""
    try:
        return float(cell) if isinstance(cell, str) else cell
    except ValueError:
        return cell


def _check_splits(found: list[Found], problems: Problems) -> None:
    """Either no record says its split or all do, and no person is in two."""
    if not any(record.said.split for record in found):
        return
    split_of: dict[str, str] = {}
    for record in found:
        person, split = record.said.person, record.said.split
        if split is None:
            problems.error(record.path, "says no split, but other records do; say it for all or for none", record.line)
        elif split_of.setdefault(person, split) != split:
            problems.error(record.path, f"person {person!r} is in {split_of[person]} and in {split}", record.line)
