"""The prepared store: written once, whole or not at all, never stale."""

import multiprocessing
import os

import numpy as np
import pytest

from datamodules.store import build_store
from datamodules.transforms.base import Prepared

KEYS = ["a", "b", "c"]


def item(length: int, value: float = 1.0) -> Prepared:
    return Prepared(np.full((length, 2), value, np.float32), np.arange(length) > 0, np.arange(length) / 2.0)


def items(value: float = 1.0):
    return (("c", item(3, value)), ("a", item(1, value)), ("b", item(2, value)))  # any order


def refuse():
    raise AssertionError("prepared again")


def test_gives_back_what_was_put_in_whatever_the_order(tmp_path):
    store = build_store(tmp_path, "ppg", {"rate_hz": 4}, KEYS, items)
    for key, length in zip(KEYS, (1, 2, 3), strict=True):
        for got, expected in zip(store[key], item(length), strict=True):
            np.testing.assert_array_equal(got, expected)


def test_second_run_reads_what_the_first_wrote(tmp_path):
    build_store(tmp_path, "ppg", {"rate_hz": 4}, KEYS, items)
    assert build_store(tmp_path, "ppg", {"rate_hz": 4}, KEYS, refuse)["b"].values[0, 0] == 1.0


@pytest.mark.parametrize("change", [{"settings": {"rate_hz": 8}}, {"keys": ["c", "b", "a"]}])
def test_other_settings_or_keys_are_another_store(tmp_path, change):
    build_store(tmp_path, "ppg", {"rate_hz": 4}, KEYS, items)
    given = {"settings": {"rate_hz": 4}, "keys": KEYS, **change}
    store = build_store(tmp_path, "ppg", given["settings"], given["keys"], lambda: items(2.0))
    assert store["a"].values[0, 0] == 2.0


def test_a_crash_while_building_leaves_nothing(tmp_path):
    def broken():
        yield "a", item(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_store(tmp_path, "ppg", {}, KEYS, broken)
    assert list(tmp_path.iterdir()) == []


def test_full_disk_names_the_folder_and_the_setting(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match=r"cannot write prepared ppg .* set paths.cache_dir"):
        build_store(tmp_path, "ppg", {}, KEYS, items)
    assert list(tmp_path.iterdir()) == []


def build_in_child(folder):
    build_store(folder, "ppg", {}, KEYS, items)
    os._exit(0)


def test_two_processes_may_build_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=build_in_child, args=(tmp_path,)) for _ in range(2)]
    [child.start() for child in children]
    [child.join() for child in children]
    assert [child.exitcode for child in children] == [0, 0]
    assert len(list(tmp_path.iterdir())) == 1
