"""The order of records is a function of seed, epoch and rank, and can be entered anywhere."""

import pytest

from datamodules.sampler import CountedSampler


def sampler(num_records: int = 23, rank: int = 0, world_size: int = 1, is_train: bool = True) -> CountedSampler:
    return CountedSampler(num_records=num_records, seed=3, is_train=is_train, rank=rank, world_size=world_size)


@pytest.mark.parametrize("num_drawn", [0, 1, 7, 22])
def test_resumed_epoch_goes_on_where_it_was_and_the_next_one_starts_anew(num_drawn):
    whole, resumed = sampler(), sampler()
    whole.set_epoch(4)
    resumed.resume(4, num_drawn)
    assert list(resumed) == list(whole)[num_drawn:]
    assert len(resumed) == len(whole) == 23  # Lightning counts batches by it
    for epoch in (4, 5):
        whole.set_epoch(epoch)
        resumed.set_epoch(epoch)
    assert list(resumed) == list(whole) and len(list(resumed)) == 23


def test_epochs_differ_in_order_and_in_every_seed():
    first = sampler()
    second = sampler()
    second.set_epoch(1)
    assert [d.index for d in first] != [d.index for d in second]
    assert not {d.seed for d in first} & {d.seed for d in second}


@pytest.mark.parametrize(("is_train", "num_dealt"), [(True, 21), (False, 23)])
def test_ranks_share_the_records_without_overlap(is_train, num_dealt):
    dealt = [list(sampler(rank=rank, world_size=3, is_train=is_train)) for rank in range(3)]
    assert sum(map(len, dealt)) == len({draw.index for part in dealt for draw in part}) == num_dealt
    assert [len(part) for part in dealt] == [len(sampler(rank=r, world_size=3, is_train=is_train)) for r in range(3)]


def test_two_ranks_read_what_one_would_read_in_the_same_order():
    together = [
        draw for pair in zip(sampler(rank=0, world_size=2), sampler(rank=1, world_size=2), strict=True) for draw in pair
    ]
    assert together == list(sampler())[:22]
