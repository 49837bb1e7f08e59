"""Write a checkpoint so that a kill, a crash or a full disk never leaves half of one."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write beside, flush to the disk, read back, then rename: the old file stays until the new one is known good.

    The rename is atomic (POSIX ``rename``), so whoever opens ``path`` finds the old checkpoint or the new one, whole.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(beside, "wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            verify(beside)
            os.replace(beside, path)
            _flush_folder(path.parent)
        except (OSError, RuntimeError) as error:  # torch wraps some of the writer's OSErrors
            free_gib = shutil.disk_usage(path.parent).free / 2**30
            kept = "the previous one is kept" if path.is_file() else "there is no previous one"
            raise OSError(
                f"cannot write checkpoint {path} ({free_gib:.2f} GiB free there): {error}; {kept}; free some space or "
                f"set paths.output_dir, then continue with resume=auto"
            ) from error
        finally:
            beside.unlink(missing_ok=True)


def verify(path: Path) -> None:
    """Read a checkpoint back from the disk: every byte against its checksum, then as what a resume would load."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise OSError(f"{damaged} in {path} does not have the bytes that were written")
    torch.load(path, map_location="cpu", mmap=True, weights_only=True)


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
