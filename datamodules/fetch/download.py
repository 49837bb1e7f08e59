"""Download one file so that a broken line costs only what was not yet there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import requests
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

CHUNK = 1 << 18
TIMEOUT_S = 30.0  # without a byte


class ResumingDownloader:
    """A downloader for ``pooch``: what came is kept beside ``part`` until it is whole.

    The next call asks for the rest only, and only while the server still has the same file (its ETag or date);
    otherwise it starts over. OSError says what went wrong in words; more than ``max_mb`` is refused.
    """

    def __init__(self, *, part: Path, max_mb: float):
        self.part, self.max_mb = part, max_mb

    def __call__(self, url: str, output_file: str | os.PathLike, _: object = None) -> None:
        try:
            self._fetch(url)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise OSError(f"cannot reach {url}: {_reason(error)}; is this machine offline? {self._kept}") from error
        except requests.exceptions.ChunkedEncodingError as error:  # fewer bytes came than were announced
            raise OSError(f"{url} broke off: {_reason(error)}; {self._kept}") from error
        except requests.HTTPError as error:
            raise OSError(f"cannot download {url}: the server says {error.response.status_code}") from error
        shutil.move(self.part, output_file)
        self._tag.unlink(missing_ok=True)

    @property
    def _kept(self) -> str:
        megabytes = self.part.stat().st_size / 1e6 if self.part.exists() else 0.0
        return f"{megabytes:.1f} MB are kept; run the same command again to go on"

    @property
    def _tag(self) -> Path:
        return self.part.with_name(self.part.name + ".tag")

    def _fetch(self, url: str) -> None:
        self.part.parent.mkdir(parents=True, exist_ok=True)
        have = self.part.stat().st_size if self.part.exists() and self._tag.exists() else 0
        headers = {"Accept-Encoding": "identity"}  # otherwise lengths are those of the compressed stream
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": self._tag.read_text()}
        with requests.get(url, stream=True, timeout=TIMEOUT_S, headers=headers) as reply:
            if reply.status_code == 416:  # nothing is left, or the file has shrunk: only starting over tells
                self.part.unlink()
                return self._fetch(url)
            reply.raise_for_status()
            is_rest = reply.status_code == 206 and reply.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            have = have if is_rest else 0
            length = reply.headers.get("Content-Length")
            total = have + int(length) if length else None
            self._check_size(url, total or 0)
            self._remember(reply.headers.get("ETag") or reply.headers.get("Last-Modified"))
            with self.part.open("ab" if is_rest else "wb") as file, _bar() as bar:
                task = bar.add_task(Path(url).name[:40], total=total, completed=have)
                for chunk in reply.iter_content(CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    self._check_size(url, have)
                    bar.update(task, completed=have)

    def _remember(self, tag: str | None) -> None:
        """Weak tags promise no equal bytes, so they resume nothing."""
        if tag and not tag.startswith("W/"):
            self._tag.write_text(tag)
        else:
            self._tag.unlink(missing_ok=True)

    def _check_size(self, url: str, num_bytes: int) -> None:
        if num_bytes > self.max_mb * 1e6:
            raise OSError(f"{url} is larger than {self.max_mb:g} MB; raise max_mb in the homes file if that is right")


def _reason(error: Exception) -> str:
    """The innermost cause: requests wraps it three times."""
    while error.__context__ is not None and error.__context__ is not error:
        error = error.__context__
    return f"{type(error).__name__}: {error}"


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), transient=True
    )
