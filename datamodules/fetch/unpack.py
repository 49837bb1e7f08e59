"""Unpack archives from strangers.

``tarfile`` and ``zipfile`` write the files, none beyond the size that its header says. Here is what they let pass: both
rename absolute names instead of refusing them, ``zipfile`` does so with names that lead out of their folder, and
neither knows bombs, or looks at the whole archive before it writes anything.
"""

from __future__ import annotations

import copy
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple

MAX_RATIO = 200  # unpacked : packed; csv of zeros reaches about 100, zip bombs begin at 1000
ROOM = 10 << 20  # bytes for which the ratio is not asked: small files compress as they like


class Member(NamedTuple):
    """Whatever of an archive is no folder. ``is_file``: not a link, a device or a pipe."""

    name: str
    size: int
    is_file: bool
    info: zipfile.ZipInfo | tarfile.TarInfo


def unpack(archive: Path, to: Path, *, keep: list[str], strip: int, max_mb: float) -> list[Path]:
    """Write the files of a zip or tar that match a pattern of ``keep`` ([] = all).

    ``strip``: leading folders dropped from each name, the archive's own top folder included; where there is one,
    patterns are matched without it, whatever it is called. ValueError before anything is written where a name leads
    out of ``to``, is a link or a device, comes twice, or where more than ``max_mb`` (or 200 times the archive) would
    come out.
    """
    with _opened(archive) as file:
        chosen = {}
        for member in _members(file):
            path = _safe(archive, member.name)
            below_top = PurePosixPath(*path.parts[1:]) if strip else path
            if keep and not any(fnmatchcase(str(below_top), pattern) for pattern in keep):
                continue
            if len(path.parts) <= strip:
                continue
            target = to.joinpath(*path.parts[strip:])
            if target in chosen or target.exists():
                raise ValueError(f"{archive.name} has {member.name!r} twice, or {to} has it; it is not unpacked")
            if not member.is_file:
                raise ValueError(f"{archive.name} has {member.name!r}, a link or device; it is not unpacked")
            chosen[target] = member
        if not chosen:
            raise ValueError(f"{archive.name} has no file that matches {keep}; its layout has changed")
        _check_size(archive, sum(member.size for member in chosen.values()), max_mb)
        _write(file, to, {target.relative_to(to).as_posix(): member for target, member in chosen.items()})
    return sorted(chosen)


def _members(file: zipfile.ZipFile | tarfile.TarFile) -> Iterator[Member]:
    if isinstance(file, tarfile.TarFile):
        yield from (Member(info.name, info.size, info.isreg(), info) for info in file if not info.isdir())
        return
    for info in file.infolist():
        if info.flag_bits & 1:
            raise ValueError(f"{info.filename!r} of {Path(file.filename).name} is encrypted; it is not unpacked")
        if not info.is_dir():
            kind = stat.S_IFMT(info.external_attr >> 16)
            yield Member(info.filename, info.file_size, kind in (0, stat.S_IFREG), info)


def _write(file: zipfile.ZipFile | tarfile.TarFile, to: Path, members: dict[str, Member]) -> None:
    """Write each member under its name in ``members``."""
    if isinstance(file, tarfile.TarFile):
        renamed = [member.info.replace(name=name, deep=False) for name, member in members.items()]
        file.extractall(to, renamed, filter="data")
        return
    for name, member in members.items():
        info = copy.copy(member.info)
        info.filename = name
        file.extract(info, to)


def _safe(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        raise ValueError(f"{archive.name} has a file named {name!r}, which leads out of its folder; not unpacked")
    return path


def _check_size(archive: Path, num_bytes: int, max_mb: float) -> None:
    packed = archive.stat().st_size
    limit = min(max_mb * 1e6, ROOM + MAX_RATIO * packed)
    if num_bytes > limit:
        raise ValueError(
            f"{archive.name} has {packed / 1e6:.1f} MB and would unpack to over {limit / 1e6:.0f} MB; "
            f"it may be a zip bomb and is not unpacked (raise max_mb in the homes file if it is not)"
        )


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    """Open a zip or tar; ValueError where it is neither, or cut short or damaged further in."""
    kind = zipfile.ZipFile if zipfile.is_zipfile(archive) else tarfile.open
    try:
        file = kind(archive)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise ValueError(f"{archive.name} is no zip or tar, or is damaged: {error}") from error
    try:
        with file:
            yield file
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{archive.name} is damaged: {error}") from error
