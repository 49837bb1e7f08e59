"""A disk that fills up while streams are cached leaves no half store and says which setting to change."""

import os
import subprocess
import sys

import numpy as np

from datamodules.store import build_store
from datamodules.transforms.base import Prepared

WRITE = """
import resource, sys
from tests.datamodules.test_full_disk import cache
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # what a full disk does to a growing file
cache(sys.argv[1])
"""


def cache(root):
    item = Prepared(np.ones((50_000, 2), np.float32), np.ones(50_000, bool), np.arange(50_000.0))
    return build_store(root, "eda", {"rate_hz": 4}, ["a", "b"], lambda: ((key, item) for key in "ab"))


def test_a_full_disk_while_caching_is_named_and_leaves_nothing_behind(tmp_path):
    done = subprocess.run([sys.executable, "-c", WRITE, str(tmp_path), "100000"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "OSError: cannot write prepared eda to" in done.stderr and "set paths.cache_dir" in done.stderr
    assert os.listdir(tmp_path) == []
    np.testing.assert_array_equal(cache(tmp_path)["b"].values, 1)  # the next run, with room, starts from nothing
