"""Unpack an archive that may be hostile: nothing lands outside, no links, no bombs, all or nothing."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

MAX_RATIO = 200  # unpacked : packed; csv of zeros reaches about 100, zip bombs begin at 1000
CHUNK = 1 << 20
ROOM = 10 << 20  # bytes for which the ratio is not asked: small files compress as they like


def unpack(archive: Path, to: Path, *, keep: list[str], strip: int, max_mb: float) -> list[Path]:
    """Write the files of a zip or tar that match a pattern of ``keep`` ([] = all).

    ``strip``: leading folders dropped from each name, the archive's own top folder included; where there is one,
    patterns are matched without it, whatever it is called. ValueError before anything is written where a name leads
    out of ``to``, is a link or a device, comes twice, or where more than ``max_mb`` (or 200 times the archive) would
    come out.
    """
    limit = min(max_mb * 1e6, ROOM + MAX_RATIO * archive.stat().st_size)
    with _opened(archive) as reader:
        chosen = {}
        for name, member in reader.members():
            path = _safe(archive, name)
            below_top = PurePosixPath(*path.parts[1:]) if strip else path
            if keep and not any(fnmatchcase(str(below_top), pattern) for pattern in keep):
                continue
            if len(path.parts) <= strip:
                continue
            target = to.joinpath(*path.parts[strip:])
            if target in chosen:
                raise ValueError(f"{archive.name} has {name!r} twice; it is not unpacked")
            reader.refuse_special(name, member)
            chosen[target] = member
        if not chosen:
            raise ValueError(f"{archive.name} has no file that matches {keep}; its layout has changed")
        told = sum(reader.size(member) for member in chosen.values())
        _check_size(archive, told, limit)
        written = 0
        for target, member in chosen.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            with reader.open(member) as source, target.open("xb") as sink:
                while chunk := source.read(CHUNK):
                    written += len(chunk)
                    _check_size(archive, written, limit)  # what headers tell may be a lie
                    sink.write(chunk)
    return sorted(chosen)


def _safe(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        raise ValueError(f"{archive.name} has a file named {name!r}, which leads out of its folder; not unpacked")
    return path


def _check_size(archive: Path, num_bytes: float, limit: float) -> None:
    if num_bytes > limit:
        raise ValueError(
            f"{archive.name} has {archive.stat().st_size / 1e6:.1f} MB and would unpack to over {limit / 1e6:.0f} MB; "
            f"it may be a zip bomb and is not unpacked (raise max_mb in the homes file if it is not)"
        )


class _Zip:
    def __init__(self, archive: Path):
        self.archive, self.file = archive, zipfile.ZipFile(archive)

    def members(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        return ((info.filename, info) for info in self.file.infolist() if not info.is_dir())

    def refuse_special(self, name: str, info: zipfile.ZipInfo) -> None:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise ValueError(f"{self.archive.name} has {name!r}, a link or device; it is not unpacked")
        if info.flag_bits & 1:
            raise ValueError(f"{self.archive.name} is encrypted; it is not unpacked")

    def size(self, info: zipfile.ZipInfo) -> int:
        return info.file_size

    def open(self, info: zipfile.ZipInfo) -> IO[bytes]:
        return self.file.open(info)


class _Tar:
    def __init__(self, archive: Path):
        self.archive, self.file = archive, tarfile.open(archive)  # noqa: SIM115  (closed by _opened)

    def members(self) -> Iterator[tuple[str, tarfile.TarInfo]]:
        return ((info.name, info) for info in self.file if not info.isdir())

    def refuse_special(self, name: str, info: tarfile.TarInfo) -> None:
        if not info.isreg():
            raise ValueError(f"{self.archive.name} has {name!r}, a link or device; it is not unpacked")

    def size(self, info: tarfile.TarInfo) -> int:
        return info.size

    def open(self, info: tarfile.TarInfo) -> IO[bytes]:
        return self.file.extractfile(info)


class _opened:
    """Open a zip or tar; ValueError where it is neither, or cut short."""

    def __init__(self, archive: Path):
        self.archive = archive

    def __enter__(self) -> _Zip | _Tar:
        kind = _Zip if zipfile.is_zipfile(self.archive) else _Tar
        try:
            self.reader = kind(self.archive)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise ValueError(f"{self.archive.name} is no zip or tar, or is damaged: {error}") from error
        return self.reader

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        self.reader.file.close()
        if isinstance(error, tarfile.TarError | zipfile.BadZipFile | EOFError | zlib.error):
            raise ValueError(f"{self.archive.name} is damaged: {error}") from error
