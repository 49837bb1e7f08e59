"""Tell every batch which others share its optimiser step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from torch.utils.data import DataLoader

from fusion.batch import Batch


class LookAhead:
    """Serve a loader's batches in order, each with the targets of its ``num_batches`` as ``Batch.group``.

    Batches hold different numbers of labels and tokens; whoever accumulates their gradients must know all of them to
    weigh each as in one large batch. The last group of an epoch may be smaller.
    """

    def __init__(self, loader: DataLoader, num_batches: int) -> None:
        self.loader, self.num_batches = loader, num_batches
        self.sampler = loader.sampler  # Lightning tells it the epoch

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Batch]:
        batches = iter(self.loader)
        while group := list(islice(batches, self.num_batches)):
            targets = [batch.targets for batch in group]
            yield from (batch._replace(group=targets) for batch in group)
