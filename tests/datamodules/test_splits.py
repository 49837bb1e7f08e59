"""Protects: the three test parts are disjoint, the fractions hold, nothing depends on order or machine."""

import pytest

from datamodules.splits import split_sources

MANY = [f"photo{i}" for i in range(2000)]
FEW = [f"person{i}" for i in range(27)]


@pytest.mark.parametrize("names", [MANY, FEW])
def test_the_three_test_parts_share_no_source(names):
    parts = [split_sources(names, split=split, seed=0, test=0.26, val=0.15) for split in (0, 1, 2)]
    tested = [{name for name, part in own.items() if part == "test"} for own in parts]
    assert all(tested)
    assert not (tested[0] & tested[1] or tested[1] & tested[2] or tested[0] & tested[2])


def test_few_sources_are_counted_out_exactly():
    for split in (0, 1, 2):
        parts = list(split_sources(FEW, split=split, seed=0, test=0.26, val=0.15).values())
        assert (parts.count("test"), parts.count("val"), parts.count("train")) == (7, 4, 16)


def test_many_sources_come_close_to_the_fractions():
    parts = list(split_sources(MANY, split=1, seed=0, test=0.26, val=0.15).values())
    assert parts.count("test") / len(MANY) == pytest.approx(0.26, abs=0.03)
    assert parts.count("val") / len(MANY) == pytest.approx(0.15, abs=0.03)


def test_order_changes_nothing_and_the_seed_does():
    first = split_sources(MANY, split=0, seed=0, test=0.26, val=0.15)
    assert split_sources(MANY[::-1], split=0, seed=0, test=0.26, val=0.15) == first
    assert split_sources(MANY, split=0, seed=1, test=0.26, val=0.15) != first


def test_adding_a_source_moves_no_other():
    first = split_sources(MANY, split=0, seed=0, test=0.26, val=0.15)
    more = split_sources([*MANY, "one more"], split=0, seed=0, test=0.26, val=0.15)
    assert {name: more[name] for name in MANY} == first


def test_strata_are_divided_alike():
    strata = {f"speaker{i}": ("woman", "man")[i % 2] for i in range(24)}
    for split in (0, 1, 2):
        parts = split_sources(strata, split=split, seed=0, test=0.25, val=0.25)
        tested = [strata[name] for name, part in parts.items() if part == "test"]
        assert (tested.count("woman"), tested.count("man")) == (3, 3)


def test_split_is_the_same_on_every_machine():
    parts = split_sources([f"s{i}" for i in range(8)], split=0, seed=0, test=0.26, val=0.15)
    assert sorted(name for name, part in parts.items() if part == "test") == ["s2", "s3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"split": 3}, "split is 3, expected 0, 1 or 2"), ({"test": 0.5}, "test=0.5"), ({"val": 0.9}, "val=0.9")],
)
def test_impossible_splits_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        split_sources(FEW, **{"split": 0, "seed": 0, "test": 0.26, "val": 0.15} | arguments)
