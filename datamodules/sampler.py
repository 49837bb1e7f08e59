"""Which record comes next, as a pure function of seed, epoch and rank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch.utils.data import Sampler


class Draw(NamedTuple):
    """One pick: the record's index and the seed of everything random that happens to it."""

    index: int
    seed: int


class CountedSampler(Sampler[Draw]):
    """Shuffle by counter and deal the records to ranks.

    The same (seed, epoch) always gives the same order and the same per-record seeds, whatever the number of workers.
    Training drops the tail that does not fill every rank; evaluation deals every record exactly once.
    """

    def __init__(self, *, num_records: int, seed: int, is_train: bool, rank: int = 0, world_size: int = 1):
        self.num_records, self.seed, self.is_train = num_records, seed, is_train
        self.rank, self.world_size = rank, world_size
        self.epoch = 0
        self._resumed = (0, 0)

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = epoch

    def resume(self, epoch: int, num_drawn: int) -> None:
        """Begin in ``epoch`` after the first ``num_drawn`` of this rank's records; later epochs begin at the first.

        Must happen before the first iterator is made: workers read ahead at once.
        """
        self.epoch = epoch
        self._resumed = (epoch, num_drawn)

    def __len__(self) -> int:
        """Draws of a whole epoch, also where the first one is resumed in its middle: Lightning counts batches by it."""
        if self.is_train:
            return self.num_records // self.world_size
        return len(range(self.rank, self.num_records, self.world_size))

    def __iter__(self) -> Iterator[Draw]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(self.num_records, generator=generator) if self.is_train else range(self.num_records)
        seeds = torch.randint(2**62, (self.num_records,), generator=generator)
        mine = [Draw(int(i), int(seeds[int(i)])) for i in order[self.rank :: self.world_size]]
        epoch, num_drawn = self._resumed
        return iter(mine[num_drawn if self.epoch == epoch else 0 : len(self)])
