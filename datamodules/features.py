"""A frozen backbone's features in place of raw values: computed once, read every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from datamodules.collate import pad_rows
from datamodules.store import PreparedStore
from datamodules.transforms.base import Prepared
from fusion.batch import Stream


def run_backbone(
    store: PreparedStore, batch_size: int, features: Callable[[Stream], Stream]
) -> Iterator[tuple[str, Prepared]]:
    """Yield every key of ``store`` with its features (T', F) in float16; items of like length share a batch."""
    by_length = sorted(store.keys, key=lambda key: len(store[key].valid))
    for first in range(0, len(by_length), batch_size):
        keys = by_length[first : first + batch_size]
        stream = features(pad_rows([store[key] for key in keys]))
        for row, key in enumerate(keys):
            measured = stream.valid[row]
            kept = (part[row][measured].cpu().numpy() for part in stream)
            values, valid, time_s = kept
            yield key, Prepared(values.astype(np.float16), valid, time_s)
