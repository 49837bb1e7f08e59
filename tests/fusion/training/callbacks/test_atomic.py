"""A checkpoint file is whole or not there."""

import resource

import pytest
import torch

from fusion.training.callbacks.atomic import AtomicCheckpointIO, verify


def save(path, value: float) -> None:
    AtomicCheckpointIO().save_checkpoint({"weights": torch.full((200_000,), value)}, path)


def test_saved_file_loads_and_nothing_else_is_left(tmp_path):
    save(tmp_path / "deep" / "last.ckpt", 1.0)
    save(tmp_path / "deep" / "last.ckpt", 2.0)
    assert AtomicCheckpointIO().load_checkpoint(tmp_path / "deep" / "last.ckpt")["weights"][0] == 2.0
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize(("num_saved", "kept"), [(1, "the previous one is kept"), (0, "there is no previous one")])
def test_a_full_disk_is_named_and_leaves_the_previous_checkpoint(tmp_path, num_saved, kept):
    path = tmp_path / "last.ckpt"
    for _ in range(num_saved):
        save(path, 1.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # bytes a file may have: writing on fails, as when full
    try:
        with pytest.raises(OSError, match=f"cannot write checkpoint .*last.ckpt .*GiB free there.*{kept}"):
            save(path, 2.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"] * num_saved
    if num_saved:
        assert torch.load(path)["weights"][0] == 1.0


def test_what_the_disk_gives_back_is_compared_before_the_old_file_goes(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    save(path, 1.0)
    monkeypatch.setattr("fusion.training.callbacks.atomic.os.fsync", _damage_a_byte_of)
    with pytest.raises(OSError, match="cannot write checkpoint"):
        save(path, 2.0)
    monkeypatch.undo()
    verify(path)
    assert torch.load(path)["weights"][0] == 1.0


def _damage_a_byte_of(descriptor: int) -> None:
    import os

    with open(f"/proc/self/fd/{descriptor}", "r+b") as file:
        file.seek(os.path.getsize(f"/proc/self/fd/{descriptor}") // 2)
        file.write(b"\xff")
