"""The loader benchmark reads the same from every library."""

import numpy as np

from benchmarks.loader import _arrow, _safetensors


def test_arrow_and_safetensors_give_back_what_was_written(tmp_path):
    rng = np.random.default_rng(0)
    items = [rng.integers(256, size=(t, 3, 4), dtype=np.uint8) for t in (2, 1, 5)]
    readers = (_arrow(items, tmp_path / "a.arrow"), _safetensors(items, tmp_path / "a.safetensors"))
    for row in (2, 0, 1):
        assert all(np.array_equal(read(row), items[row]) for read in readers)
