"""Read a .npy file that holds a pickled mapping of arrays, without letting it run anything."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

ARRAYS = {"_reconstruct", "ndarray", "dtype", "scalar"}  # what a pickle of arrays, lists and numbers asks for


def read_pickled_arrays(path: Path) -> dict[str, object]:
    """The mapping in ``path``; ValueError where the pickle asks for anything but NumPy's arrays."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        read_header(file)
        whole = _ArraysOnly(file, encoding="latin1").load()
    return whole.item() if isinstance(whole, np.ndarray) else whole


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if module.partition(".")[0] != "numpy" or name not in ARRAYS:
            raise ValueError(f"a pickle asks for {module}.{name}, expected arrays only; fetch the file again")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
