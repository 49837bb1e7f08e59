"""What sharding cannot do is said; what it does is in tests/test_ddp.py."""

from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging
from pytorch_lightning.trainer.states import TrainerFn

from fusion.training.sharding import MARK, FullyShardedStrategy


def test_averaging_of_weights_is_refused():
    trainer = SimpleNamespace(callbacks=[EMAWeightAveraging(decay=0.9)])
    with pytest.raises(ValueError, match=r"fsdp2 cannot average weights: EMAWeightAveraging .* set averaging=none"):
        FullyShardedStrategy().setup(trainer)


@pytest.mark.parametrize("is_sharded", [False, True])
def test_training_goes_on_only_from_a_sharded_checkpoint(tmp_path, monkeypatch, is_sharded):
    """Lightning would number the moments of a plain one by another order of the weights, and say nothing."""
    monkeypatch.setattr(FullyShardedStrategy.__base__, "load_checkpoint", lambda *_: "loaded")
    strategy, path = FullyShardedStrategy(), tmp_path / "last.ckpt"
    torch.save({MARK: True} if is_sharded else {}, path)
    strategy._lightning_module = SimpleNamespace(trainer=SimpleNamespace(state=SimpleNamespace(fn=TrainerFn.FITTING)))
    if is_sharded:
        assert strategy.load_checkpoint(path) == "loaded"
        return
    with pytest.raises(ValueError, match=r"last.ckpt was not saved under trainer=fsdp2, .* start with resume=never"):
        strategy.load_checkpoint(path)
