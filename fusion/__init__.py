"""One model from text, wearable signals, food photos and audio to a health state and the plan that follows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.apps.loaded import LoadedModel

# Commands lie in apps/ and answer to short names: python -m fusion.predict is fusion/apps/predict.py
__path__.append(str(Path(__file__).parent / "apps"))


def load(folder: str | Path) -> LoadedModel:
    """Open a model that ``python -m fusion.export`` wrote."""
    from fusion.apps.loaded import LoadedModel  # here, so that ``import fusion`` stays light

    return LoadedModel.open(Path(folder))
