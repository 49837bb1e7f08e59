"""health_state: logits, and a loss over labelled rows only."""

import pytest
import torch
import torch.nn.functional as F
from heads import classify
from torch.testing import assert_close

from fusion.batch import Fused, TokenSet


def build(**changes):
    torch.manual_seed(0)
    return classify(["a", "b", "c"], **changes)


@pytest.fixture
def fused() -> TokenSet:
    torch.manual_seed(1)
    return TokenSet(torch.randn(4, 3, 8), torch.ones(4, 3, dtype=torch.bool), torch.zeros(4, 3))


def test_the_loss_is_cross_entropy_of_labelled_rows(fused):
    head = build(class_weights=[1.0, 2.0, 3.0], label_smoothing=0.1)
    logits = head(fused)
    target = torch.tensor([0, -100, 2, -100])
    expected = F.cross_entropy(logits[[0, 2]], target[[0, 2]], torch.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1)
    assert_close(head.loss(logits, target), expected)
    assert head.is_labelled(target).tolist() == [True, False, True, False]


def test_without_labels_the_loss_is_zero_and_gradients_are_zeros(fused):
    head = build()
    loss = head.loss(head(fused), torch.full((4,), -100))
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


def test_predictions_are_probabilities(fused):
    assert_close(build().predict(fused).sum(dim=1), torch.ones(4))


def test_a_wrong_number_of_class_weights_is_named():
    with pytest.raises(ValueError, match=r"2 class_weights for 3 classes \['a', 'b', 'c'\]"):
        build(class_weights=[1.0, 2.0])


def test_a_head_of_one_group_reads_that_group_only_and_says_the_same_wherever_it_is_absent():
    def person(text, signals, has_signals=True):
        valid = torch.full((2, 3), has_signals)
        sources = {
            "text": TokenSet(text, torch.ones(2, 3, dtype=torch.bool), torch.zeros(2, 3)),
            "eda": TokenSet(signals, valid, torch.zeros(2, 3)),
        }
        fused = TokenSet(text, torch.ones(2, 3, dtype=torch.bool), torch.zeros(2, 3))
        return Fused(*fused, sources=sources, groups={"text": "text", "eda": "signals"})

    text, other, signals, more = torch.randn(4, 2, 3, 8)
    head = build(group="signals")
    assert_close(head(person(text, signals)), head(person(other, signals)))
    assert not torch.allclose(head(person(text, signals)), head(person(text, more)))
    assert_close(head(person(text, signals, False)), head(person(other, more, False)))
    assert torch.isfinite(head(person(text, signals)._replace(sources={}, groups={}))).all()
    with pytest.raises(ValueError, match="head reads group 'smell', expected one of"):
        build(group="smell")
