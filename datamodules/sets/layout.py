"""Find the files of a public set, in the layout of its home or in that of the copies this project is developed on."""

from __future__ import annotations

from pathlib import Path


def one_of(folder: Path, *names: str) -> Path:
    """The first of ``names`` that is a file of ``folder``, whose own name is the set's; ValueError where none is."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"{folder.name}: no {' or '.join(names)} in {folder}; set paths.data_dir")


def parts_there(folder: Path, *tests: str) -> dict[str, str | None]:
    """Official part -> ``Item.part``: the train part is left to divide; "test" only where one of ``tests`` is there."""
    has_test = any((folder / name).is_file() for name in tests)
    return {"train": None, "test": "test"} if has_test else {"train": None}
