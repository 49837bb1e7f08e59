"""caused_state: the doubt about each cause goes through a learned rule."""

from itertools import product

import pytest
import torch
from heads import classify
from torch.testing import assert_close

from fusion.batch import Fused
from fusion.heads.caused_state import RULE_SCALE, CausedStateHead

CAUSES = {"words": ["calm", "stressed"], "meal": ["sweet", "heavy", "lean"]}
STATES = ["fine", "strained"]


@pytest.fixture
def heads():
    torch.manual_seed(0)
    heads = {name: classify(classes) for name, classes in CAUSES.items()}
    heads["health_state"] = CausedStateHead(target="state", names=STATES, loss_weight=1.0, causes=CAUSES)
    heads["health_state"].bind(heads)
    return heads


@pytest.fixture
def fused() -> Fused:
    torch.manual_seed(1)
    return Fused(torch.randn(4, 3, 8), torch.ones(4, 3, dtype=torch.bool), torch.zeros(4, 3), {})


def test_a_state_is_the_sum_over_the_cells_that_the_rule_gives_to_it(heads, fused):
    head = heads["health_state"]
    torch.nn.init.normal_(head.table)
    words, meal = (heads[name].predict(fused) for name in CAUSES)
    expected = torch.zeros(4, 2)
    for cell, (i, j) in enumerate(product(range(2), range(3))):
        expected += (words[:, i] * meal[:, j])[:, None] * head.rule[cell]
    assert_close(head.predict(fused), expected)


def test_the_prior_of_a_cell_moves_the_answer(heads, fused):
    head = heads["health_state"]
    torch.nn.init.normal_(head.table)
    before = head.predict(fused)
    with torch.no_grad():
        head.log_prior[0] = 5 / RULE_SCALE
    assert ((head.predict(fused) - head.rule[0]).abs() < (before - head.rule[0]).abs()).all()


def test_the_rule_is_learned_from_states_alone_where_the_causes_are_known(heads):
    head = heads["health_state"]
    cells = torch.tensor(list(product(range(2), range(3)))).repeat(20, 1)
    states = (cells[:, 0] == 1).logical_and(cells[:, 1] != 2).long()
    known = {name: torch.nn.functional.one_hot(cells[:, i]).float() * 20 for i, name in enumerate(CAUSES)}
    for name in CAUSES:
        heads[name].forward = lambda fused, name=name: known[name]
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-2)
    for _ in range(50):
        optimizer.zero_grad()
        head.loss(head(None), states).backward()
        optimizer.step()
    assert (head.predict(None).argmax(1) == states).all()


def test_causes_are_not_registered_twice(heads):
    assert {name for name, _ in heads["health_state"].named_parameters()} == {"table", "log_prior"}


def test_without_labels_the_loss_is_zero_and_attached(heads, fused):
    head = heads["health_state"]
    loss = head.loss(head(fused), torch.full((4,), -100))
    loss.backward()
    assert loss.item() == 0 and not head.table.grad.any()


def test_wrong_causes_are_named():
    with pytest.raises(ValueError, match="needs causes"):
        CausedStateHead(target="state", names=STATES, loss_weight=1.0, causes={})
    head = CausedStateHead(target="state", names=STATES, loss_weight=1.0, causes=CAUSES)
    with pytest.raises(ValueError, match=r"cause 'words' is no head of this model, got \['plan'\]"):
        head.bind({"plan": head})
    words = classify(["yes", "no"])
    with pytest.raises(ValueError, match=r"cause 'words' has classes \('calm', 'stressed'\), its head says"):
        head.bind({"words": words})
    with pytest.raises(ValueError, match="no train record of 'strained'"):
        head.balance([3, 0])
