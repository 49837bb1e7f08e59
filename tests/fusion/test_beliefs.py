"""Beliefs: what other heads say, read and never taught."""

import pytest
import torch
from heads import classify
from torch.testing import assert_close

from fusion.batch import Fused
from fusion.beliefs import Beliefs

CLASSES = {"body": ["rested", "stressed"], "meal": ["dessert", "heavy", "lean"]}


def build():
    torch.manual_seed(0)
    heads = {name: classify(classes).eval() for name, classes in CLASSES.items()}
    beliefs = Beliefs(heads=CLASSES, width=4)
    beliefs.bind(heads)
    return beliefs, heads


def fused(rows: int = 3) -> Fused:
    return Fused(torch.randn(rows, 5, 8), torch.ones(rows, 5, dtype=torch.bool), torch.zeros(rows, 5), {})


def test_there_is_a_token_a_head_and_only_its_embedding_is_taught():
    beliefs, heads = build()
    tokens = beliefs(fused())
    assert tokens.shape == (3, 2, 4)
    tokens.sum().backward()
    assert all(p.grad is None for head in heads.values() for p in head.parameters())
    assert all(p.grad is not None for p in beliefs.parameters())
    assert not any("heads" in name for name, _ in beliefs.named_parameters())


def test_tokens_are_as_large_as_those_of_a_normalised_memory():
    beliefs, _ = build()
    tokens = beliefs(fused())
    assert_close(tokens.mean(-1), torch.zeros(3, 2), atol=1e-6, rtol=0)
    assert_close(tokens.var(-1, unbiased=False), torch.ones(3, 2), atol=1e-2, rtol=0)


def test_sure_findings_are_those_above_the_threshold():
    beliefs, heads = build()
    person = fused()
    probability = heads["body"].predict(person)
    finding_of = {"body": {"rested": "resting_arousal", "stressed": "raised_arousal"}}
    assert beliefs.sure(person, finding_of, 0.0) == [("resting_arousal", "raised_arousal")] * 3
    assert beliefs.sure(person, finding_of, 1.01) == [()] * 3
    expected = [("resting_arousal",) if row[0] >= 0.5 else ("raised_arousal",) for row in probability]
    assert beliefs.sure(person, finding_of, 0.5) == expected
    assert_close(beliefs.of("body", person), probability)


def test_heads_that_are_missing_or_other_are_named():
    beliefs, heads = build()
    with pytest.raises(ValueError, match=r"head 'meal' is to be read but is none of \['body'\]"):
        beliefs.bind({"body": heads["body"]})
    with pytest.raises(ValueError, match="head 'body' is read as"):
        beliefs.bind(
            {
                **heads,
                "body": classify(["a", "b"]),
            }
        )
