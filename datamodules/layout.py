"""Find the files of a public set, in the layout of its home or in that of the copies this project is developed on."""

from __future__ import annotations

from pathlib import Path


def one_of(folder: Path, *names: str) -> Path:
    """The first of ``names`` that is a file of ``folder``, whose own name is the set's; ValueError where none is."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"{folder.name}: no {' or '.join(names)} in {folder}; set paths.data_dir")
