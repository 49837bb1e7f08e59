"""Read a yaml file of this folder into its type: the one way in, so that a misspelt word is an error that names it."""

from __future__ import annotations

from importlib.resources import files
from typing import TypeVar

import yaml
from pydantic import TypeAdapter

T = TypeVar("T")


def load_knowledge(name: str, kind: type[T]) -> T:
    """``name``.yaml as ``kind``, a pydantic model or an annotation such as dict[str, Move]; else ValueError."""
    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return TypeAdapter(kind).validate_python(yaml.load(text, yaml.CSafeLoader))  # 10 x faster than the Python loader
