"""regression: several numbers in their own units, unlabelled ones masked, statistics saved with the weights."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from fusion.batch import Fused
from fusion.heads.regression import RegressionHead

SETTINGS = dict(target="levels", names=["glucose", "mood"], loss_weight=1.0, dim=8, dropout=0.0, loss="huber")

TARGETS = torch.tensor([[100.0, 1.0], [200.0, math.nan], [300.0, 3.0], [math.nan, math.nan]])


def build(**changes) -> RegressionHead:
    torch.manual_seed(0)
    head = RegressionHead(**SETTINGS | changes)
    head.fit(TARGETS)
    return head


@pytest.fixture
def fused() -> Fused:
    torch.manual_seed(1)
    return Fused(torch.randn(4, 3, 8), torch.ones(4, 3, dtype=torch.bool), torch.zeros(4, 3), {})


def test_statistics_are_of_the_labelled_train_numbers_alone():
    head = build()
    assert_close(head.mean, torch.tensor([200.0, 2.0]))
    assert_close(head.spread, torch.tensor([math.sqrt(20000 / 3), 1.0]))


def test_the_loss_is_huber_of_the_labelled_standardised_numbers(fused):
    head = build()
    logits = head(fused)
    wanted = torch.stack([(TARGETS[0] - head.mean) / head.spread, (TARGETS[2] - head.mean) / head.spread])
    second = (TARGETS[1, :1] - head.mean[:1]) / head.spread[:1]
    given = torch.cat([logits[[0, 2]].flatten(), logits[1, :1]])
    assert_close(head.loss(logits, TARGETS), F.huber_loss(given, torch.cat([wanted.flatten(), second])))
    assert head.is_labelled(TARGETS).tolist() == [True, True, True, False]


def test_what_is_not_labelled_changes_nothing(fused):
    head = build()
    logits = head(fused)
    changed = logits.clone()
    changed[3], changed[1, 1] = 1e6, -1e6
    assert head.loss(logits, TARGETS) == head.loss(changed, TARGETS)


@pytest.mark.parametrize("loss", ["huber", "gaussian_nll"])
def test_without_labels_the_loss_is_zero_and_gradients_are_zeros(fused, loss):
    head = build(loss=loss)
    value = head.loss(head(fused), torch.full((4, 2), math.nan))
    value.backward()
    assert value.item() == 0
    assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


@pytest.mark.parametrize("loss", ["huber", "gaussian_nll"])
def test_answers_are_in_the_unit_of_the_target(fused, loss):
    head = build(loss=loss)
    with torch.no_grad():
        for weight in head.estimate.parameters():
            weight.zero_()
    assert_close(head.predict(fused), torch.tensor([[200.0, 2.0]]).expand(4, 2))  # 0 deviations = the train mean


def test_gaussian_nll_learns_how_sure_to_be():
    head = RegressionHead(**SETTINGS | {"names": ["x"], "loss": "gaussian_nll"})
    target = torch.tensor([[-1.0], [1.0], [-3.0], [3.0]])
    head.fit(target)
    still = Fused(torch.zeros(4, 1, 8), torch.ones(4, 1, dtype=torch.bool), torch.zeros(4, 1), {})
    optimizer = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        head.loss(head(still), target).backward()
        optimizer.step()
    assert_close(head(still)[0, 0, 1].exp(), torch.tensor(1.0), atol=0.05, rtol=0)  # the standardised variance


def test_statistics_travel_with_the_weights_and_their_absence_is_an_error(fused):
    head = build()
    fresh = RegressionHead(**SETTINGS)
    for call in (lambda: fresh.predict(fused), lambda: fresh.loss(fresh(fused), TARGETS)):
        with pytest.raises(ValueError, match=r"no statistics of 'levels' \(glucose, mood\); call fit"):
            call()
    fresh.load_state_dict(head.state_dict())
    assert_close(fresh.predict(fused), head.predict(fused))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"loss": "l2"}, "has loss 'l2', expected one of")],
)
def test_wrong_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        build(**change)


def test_a_target_that_train_hardly_labels_is_an_error():
    head = RegressionHead(**SETTINGS)
    with pytest.raises(ValueError, match="fewer than 2 train records are labelled with 'mood'"):
        head.fit(TARGETS[:2])
