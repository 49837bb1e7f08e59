"""Read back what a run logged to W&B from its offline directory: ``python -m fusion.wandb_reader run=outputs/latest``.

A ``run-<id>.wandb`` file is a sequence of protobuf records in LevelDB's log format: blocks of 32 KiB; in them pieces of
a record, each with a header of checksum (4 bytes), length (2) and kind (1: whole, 2: first, 3: middle, 4: last).
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from wandb.proto import wandb_internal_pb2

BLOCK = 32768
FILE_HEADER, PIECE_HEADER = struct.Struct("<4sHB"), struct.Struct("<IHB")
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4
STEP = "trainer/global_step"  # under which Lightning's logger counts


class WandbRun(NamedTuple):
    """One W&B run. ``history`` is by global step, as W&B shows it: a step logged twice has what came last."""

    id: str
    name: str
    group: str
    config: dict[str, object]
    history: list[dict[str, object]]
    summary: dict[str, object]
    files: list[str]  # what was uploaded beside, media included
    artifacts: dict[str, list[str]]  # by kind, the names of its files
    exit_code: int | None  # None: the process never said goodbye (killed)


def read_runs(run_dir: str | Path) -> list[WandbRun]:
    """Every attempt's offline directory under ``run_dir``/wandb, oldest first."""
    found = sorted(Path(run_dir).glob("wandb/offline-run-*/run-*.wandb"))
    if not found:
        raise ValueError(f"no offline W&B run under {run_dir}/wandb; train with logger=[wandb,csv]")
    return [read_run(path) for path in found]


def read_run(path: Path) -> WandbRun:
    """One .wandb file; a kill may have cut its last record, which is then left out."""
    about, config, rows, summary, files, artifacts, exit_code = None, {}, [], {}, [], {}, None
    for content in _records(path.read_bytes(), path):
        record = wandb_internal_pb2.Record.FromString(content)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            about = record.run
            config |= _items(record.run.config.update)
        elif kind == "config":
            config |= _items(record.config.update)
        elif kind == "history":
            rows.append(_items(record.history.item))
        elif kind == "summary":
            summary |= _items(record.summary.update)
        elif kind == "files":
            files += [file.path for file in record.files.files]
        elif kind == "artifact":
            artifacts[record.artifact.type] = [entry.path for entry in record.artifact.manifest.contents]
        elif kind == "exit":
            exit_code = record.exit.exit_code
    if about is None:
        raise ValueError(f"{path} holds no run record; it is not a W&B file or was cut at once")
    return WandbRun(
        about.run_id, about.display_name, about.run_group, config, _by_step(rows), summary, files, artifacts, exit_code
    )


def _records(content: bytes, path: Path) -> Iterator[bytes]:
    """The records of a file, whole ones only."""
    magic, _, _ = FILE_HEADER.unpack_from(content)
    if magic != b":W&B":
        raise ValueError(f"{path} begins with {magic!r}, expected b':W&B'; it is not a W&B file")
    at, pieces = FILE_HEADER.size, b""
    while at + PIECE_HEADER.size <= len(content):
        left = BLOCK - at % BLOCK
        if left < PIECE_HEADER.size:
            at += left
            continue
        _, length, kind = PIECE_HEADER.unpack_from(content, at)
        piece = content[at + PIECE_HEADER.size : at + PIECE_HEADER.size + length]
        if len(piece) < length or kind not in (WHOLE, FIRST, MIDDLE, LAST):
            return
        pieces = piece if kind in (WHOLE, FIRST) else pieces + piece
        if kind in (WHOLE, LAST):
            yield pieces
        at += PIECE_HEADER.size + length


def _items(items: object) -> dict[str, object]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def _by_step(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows of one global step joined; rows without one (sample plans) follow."""
    steps: dict[object, dict[str, object]] = {}
    for number, row in enumerate(rows):
        steps.setdefault(row.get(STEP, f"row {number}"), {}).update(row)
    counted = sorted((row for row in steps.values() if STEP in row), key=lambda row: row[STEP])
    return counted + [row for row in steps.values() if STEP not in row]


if __name__ == "__main__":
    settings = dict(argument.split("=", 1) for argument in sys.argv[1:])
    if set(settings) != {"run"}:
        raise SystemExit(f"usage: python -m fusion.wandb_reader run=DIR; got {sys.argv[1:]}")
    for run in read_runs(settings["run"]):
        print(json.dumps(run._asdict(), indent=1, default=str))
