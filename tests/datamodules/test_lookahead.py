"""Every batch knows the targets of its group."""

import torch
from torch.utils.data import DataLoader

from datamodules.lookahead import LookAhead
from fusion.batch import Batch


def test_batches_come_in_order_and_name_their_group_and_the_last_may_be_short():
    loader = DataLoader(range(5), batch_size=1, sampler=[0, 1, 2, 3, 4], collate_fn=lambda x: batch(x[0]))
    ahead = LookAhead(loader, 2)
    assert len(ahead) == 5 and ahead.sampler is loader.sampler
    for _ in range(2):  # epochs
        seen = [(b.record_ids[0], [int(targets["head"]) for targets in b.group]) for b in ahead]
        assert seen == [(0, [0, 1]), (1, [0, 1]), (2, [2, 3]), (3, [2, 3]), (4, [4])]


def batch(number: int) -> Batch:
    return Batch({}, {"head": torch.tensor(number)}, [number], [number])
