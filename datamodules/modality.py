"""One modality as the data side sees it."""

from __future__ import annotations

from dataclasses import dataclass

from datamodules.transforms.base import Augment, Prepare
from fusion.batch import GROUPS


@dataclass(frozen=True, kw_only=True)
class Modality:
    """Written by conf/modality/<name>.yaml.

    ``source``: which recording of the record it reads ("ppg"); several modalities may read one.
    ``group``: text, signals, photo or audio; dropout, subset tables and attribution go by groups.
    """

    source: str
    group: str
    prepare: Prepare
    augment: Augment | None

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise ValueError(f"modality group {self.group!r} must be one of {GROUPS}; fix data.modalities.<name>.group")
