"""Download public sets from their homes: ``python -m datamodules.fetch NAME|all --to DIR --accept-licence``.

Nothing is downloaded before its hosts and licence are shown and accepted, and nothing is trusted without a sha256
unless --allow-unverified is said. A set appears in DIR/NAME in one step, in the layout of its home, with FETCHED.json,
which holds the hashes of what came. Interrupted downloads go on where they stopped; a set that is there is left alone.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import yaml
from pydantic import BaseModel, ConfigDict, model_validator
from rich.console import Console
from rich.table import Table

from datamodules.fetch.download import ResumingDownloader
from datamodules.fetch.unpack import unpack
from datamodules.sets.content import RECEIPT

HOMES = Path(__file__).with_name("homes.yaml")
NOT_HERE = {
    "ucr": "ucr comes with a package and is read from there: pip install --no-deps aeon; python train.py data=ucr",
}
pooch.get_logger().setLevel("ERROR")  # its own messages name temporary files


class PublicFile(BaseModel):
    """A file at ``url``, or ``path`` inside an installed ``package``; an archive where ``keep`` is given."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = None
    package: str | None = None
    path: str | None = None
    sha256: str | None = None
    size_mb: float | None = None
    keep: list[str] | None = None
    strip: int = 0
    max_mb: float = 4000.0

    @model_validator(mode="after")
    def _one_origin(self) -> PublicFile:
        if (self.url is None) == (self.package is None) or (self.package is None) != (self.path is None):
            raise ValueError("a file needs either a url, or a package and a path in it")
        return self

    @property
    def name(self) -> str:
        return Path(self.url or self.path).name

    @property
    def host(self) -> str:
        """Where the bytes come from: host, owner and repository; or the package."""
        if self.url is None:
            return f"package {self.package}"
        parts = urlsplit(self.url)
        return "/".join([parts.netloc, *parts.path.split("/")[1:3]])


class PublicHome(BaseModel):
    """Where a set is published and under which terms; ``also``: other names of it, as in data=NAME."""

    model_config = ConfigDict(extra="forbid")

    home: str
    licence: str
    also: list[str] = []
    files: list[PublicFile]

    @property
    def hosts(self) -> list[str]:
        """Where its files are downloaded from, which need not be its home."""
        return list(dict.fromkeys(file.host for file in self.files))


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch what is asked for; 1 where anything is missing afterwards."""
    parser = argparse.ArgumentParser(prog="python -m datamodules.fetch", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="a set, or all; list shows them")
    parser.add_argument("--to", type=Path, help="directory that gets one folder per set (later: paths.data_dir)")
    parser.add_argument("--accept-licence", action="store_true", help="you have read and accept the terms shown")
    parser.add_argument("--allow-unverified", action="store_true", help="take files whose sha256 nobody has published")
    parser.add_argument("--homes", type=Path, default=HOMES, help="yaml of sets and their homes")
    options = parser.parse_args(argv)
    console = Console()
    homes = read_homes(options.homes)
    chosen = {name: home for name, home in homes.items() if options.name in (name, *home.also, "all", "list")}
    if not chosen:
        console.print(NOT_HERE.get(options.name, f"no set {options.name!r}; there are {', '.join(homes)}"))
        return 1
    console.print(_table(chosen))
    if options.name == "list":
        return 0
    if options.to is None or not options.accept_licence:
        console.print("Nothing was downloaded: say --to DIR, and --accept-licence if you accept the terms above.")
        return 1
    failed = 0
    for name, home in chosen.items():
        try:
            said = fetch(name, home, options.to, allow_unverified=options.allow_unverified)
        except (ValueError, OSError) as error:
            failed += 1
            said = f"failed: {error}"
        console.print(f"{name}: {said}", soft_wrap=True, markup=False, highlight=False)
    return 1 if failed else 0


def read_homes(path: Path) -> dict[str, PublicHome]:
    """Every set of the yaml."""
    content = yaml.safe_load(path.read_text())
    return {name: PublicHome.model_validate(home) for name, home in content.items()}


def fetch(name: str, home: PublicHome, to: Path, *, allow_unverified: bool) -> str:
    """Bring one set to ``to``/``name`` and say what happened; ValueError or OSError where it could not be had."""
    folder, building = to / name, to / ".fetching" / name
    if (folder / RECEIPT).is_file():
        receipt = json.loads((folder / RECEIPT).read_text())
        if receipt["origins"] == _origins(home):
            return _still_whole(folder, receipt)
        raise ValueError(f"{folder} holds another version of it; move it away to fetch the one that is pinned now")
    if folder.exists():
        raise ValueError(f"{folder} exists and did not come from here; move it away or choose another --to")
    unverified = [file.name for file in home.files if file.sha256 is None]
    if unverified and not allow_unverified:
        raise ValueError(
            f"UNVERIFIED: nobody has published a sha256 of {', '.join(unverified)}; look at {home.home} and say "
            f"--allow-unverified to take what comes"
        )
    staged = building / "unpacked"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    hashes = {}
    for file in home.files:
        path = _obtained(file, building)
        hashes[file.name] = pooch.file_hash(str(path))
        if file.keep is not None:
            unpack(path, staged, keep=file.keep, strip=file.strip, max_mb=file.max_mb)
        else:
            shutil.copy(path, staged / file.name)
    sizes = {p.relative_to(staged).as_posix(): p.stat().st_size for p in sorted(staged.rglob("*")) if p.is_file()}
    receipt = {
        "home": home.home, "downloaded_from": home.hosts, "licence": home.licence,
        "accepted": datetime.now(UTC).isoformat(timespec="seconds"),
        "origins": _origins(home), "sha256": hashes, "unverified": unverified, "sizes": sizes,
    }  # fmt: skip
    (staged / RECEIPT).write_text(json.dumps(receipt, indent=1))
    os.rename(staged, folder)
    shutil.rmtree(building)
    loud = f"; UNVERIFIED: {', '.join(unverified)}" if unverified else "; sha256 as published"
    return f"{len(sizes)} files, {sum(sizes.values()) / 1e6:.1f} MB in {folder}{loud}"


def _obtained(file: PublicFile, building: Path) -> Path:
    """The file on this disk, its hash checked where one is known."""
    if file.package is not None:
        return _from_package(file)
    downloader = ResumingDownloader(part=building / f"{file.name}.part", max_mb=file.max_mb)
    known = None if file.sha256 is None else f"sha256:{file.sha256}"
    return Path(pooch.retrieve(file.url, known, fname=file.name, path=building, downloader=downloader))


def _from_package(file: PublicFile) -> Path:
    name, _, version = file.package.partition("==")
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise ValueError(f"{file.name} comes with a package that is not there: pip install {file.package}") from error
    if found.version != version:
        raise ValueError(f"{file.name} is pinned to {file.package}, but {found.version} is installed")
    path = Path(found.locate_file(file.path))
    if not path.is_file():
        raise ValueError(f"{file.package} has no {file.path}")
    if file.sha256 is not None and pooch.file_hash(str(path)) != file.sha256:
        raise ValueError(f"{path} is not the published file: its sha256 differs from {file.sha256}")
    return path


def _still_whole(folder: Path, receipt: dict) -> str:
    for name, size in receipt["sizes"].items():
        if not (folder / name).is_file() or (folder / name).stat().st_size != size:
            raise ValueError(f"{folder / name} is missing or changed since it was fetched; move {folder} away")
    return f"already there, {len(receipt['sizes'])} files in {folder}"


def _origins(home: PublicHome) -> list[str]:
    return [file.url or f"{file.package}:{file.path}" for file in home.files]


def _table(homes: dict[str, PublicHome]) -> Table:
    table = Table("set", "MB", "verified", title="licences: read them before you accept")
    table.add_column("home, where the files come from, licence", overflow="fold")
    for name, home in homes.items():
        sizes = [file.size_mb for file in home.files]
        size = "?" if None in sizes else f"{sum(sizes):.1f}"
        known = sum(file.sha256 is not None for file in home.files)
        said = f"{home.home}\ndownloaded from {', '.join(home.hosts)}\n{home.licence}"
        table.add_row(name, size, f"{known} of {len(home.files)}", said)
    return table
