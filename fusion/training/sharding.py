"""Fully sharded data parallel (FSDP2): every rank keeps a share of weights, gradients and optimiser state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import WeightAveraging
from pytorch_lightning.strategies import ModelParallelStrategy
from pytorch_lightning.trainer.states import TrainerFn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from fusion.model import FusionModel

MARK = "is_sharded"  # in a checkpoint: its optimiser state is numbered as the model's parameters are


class FullyShardedStrategy(ModelParallelStrategy):
    """Lightning's FSDP2 with every rank a rank of data, on GPUs and on CPUs; checkpoints are one file, as without it.

    Weights come together for the forward and backward pass of one unit at a time (``shard``), and as a whole for an
    evaluation: there, ranks see different numbers of batches and write plans of different lengths, and would wait for
    each other for ever. A single GPU must therefore hold the weights, if not what training adds to them.
    """

    def __init__(self) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        # Lightning's default is the number of nodes: within a node every GPU would train on the same records
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()

    def setup(self, trainer: pl.Trainer) -> None:
        for callback in trainer.callbacks:
            if isinstance(callback, WeightAveraging):
                raise ValueError(
                    f"trainer=fsdp2 cannot average weights: {type(callback).__name__} keeps a whole copy beside the "
                    f"shares; set averaging=none, or trainer=ddp"
                )
        shard(self.sharded, self.device_mesh["data_parallel"])
        super(ModelParallelStrategy, self).setup(trainer)  # Lightning's own wants the module to shard itself

    @property
    def sharded(self) -> FusionModel:
        return self.lightning_module.model

    def save_checkpoint(self, checkpoint: dict[str, Any], filepath: str | Path, storage_options: object = None) -> None:
        super().save_checkpoint({**checkpoint, MARK: True}, filepath, storage_options)

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        is_fitting = self.lightning_module.trainer.state.fn == TrainerFn.FITTING
        if is_fitting and MARK not in torch.load(checkpoint_path, map_location="cpu", mmap=True, weights_only=True):
            raise ValueError(
                f"{checkpoint_path} was not saved under trainer=fsdp2, and its optimiser state would be given to the "
                f"wrong weights; resume it with the trainer it was made with, or start with resume=never"
            )
        return super().load_checkpoint(checkpoint_path, weights_only)

    def on_validation_start(self) -> None:
        gather(self.sharded)

    def on_validation_end(self) -> None:
        scatter(self.sharded)

    def on_test_start(self) -> None:
        gather(self.sharded)

    def on_test_end(self) -> None:
        scatter(self.sharded)


def shard(model: FusionModel, mesh: DeviceMesh) -> None:
    """Shard every encoder, the fusion and every head that writes, each a unit, and the small heads with the rest.

    The small heads read each other, several times a step; alone, each reading would be a collective of its own. Ranks
    begin with the same weights because they build the model from the same seed.
    """
    if isinstance(model, FSDPModule):
        return
    for parameter in model.parameters():
        parameter.data = parameter.data.contiguous()  # shares of channels_last weights are not implemented
    for unit in (*model.encoders.values(), model.fusion, *(h for h in model.heads.values() if h.is_generative)):
        fully_shard(unit, mesh=mesh)
    fully_shard(model, mesh=mesh)


def gather(model: FusionModel) -> None:
    """Hold all weights on every rank, so that forward passes need no other rank. Collective."""
    model._get_fsdp_state()._lazy_init()  # otherwise the part called first would be the root
    for unit in _units(model):
        unit.set_reshard_after_forward(False, recurse=False)
        unit.unshard()


def scatter(model: FusionModel) -> None:
    """Back to a share on every rank."""
    for unit in _units(model):
        unit.set_reshard_after_forward(unit is not model, recurse=False)
        unit.reshard()


def _units(model: FusionModel) -> list[FSDPModule]:
    return [module for module in model.modules() if isinstance(module, FSDPModule)]
