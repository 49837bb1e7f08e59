"""health_state: logits, and a loss over labelled rows only."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from fusion.batch import TokenSet
from fusion.heads.health_state import HealthStateHead


def build(**changes) -> HealthStateHead:
    torch.manual_seed(0)
    return HealthStateHead(**dict(dim=8, classes=["a", "b", "c"], dropout=0.0) | changes)


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
