"""The one map from what a label says, or a head believes, to what a plan may cite."""

from fusion.batch import GROUPS as GROUPS_OF_BATCHES
from fusion.plan.findings import FINDING_OF, GROUP_OF_FINDING, GROUPS, NAMED_FOODS, PERCEIVED, REMARKABLE, UNREMARKABLE


def test_every_perceived_finding_is_one_class_of_one_target():
    found = [finding for classes in FINDING_OF.values() for finding in classes.values()]
    assert sorted(found) == sorted(finding for group in PERCEIVED.values() for finding in group)


def test_a_target_is_seen_through_one_group_and_targets_follow_the_order_of_groups():
    groups = [{GROUP_OF_FINDING[finding] for finding in classes.values()} for classes in FINDING_OF.values()]
    assert groups == [{group} for group in GROUPS]


def test_every_finding_has_one_group_and_is_perceived_or_a_food():
    perceived = {*REMARKABLE, *UNREMARKABLE}
    assert set(GROUP_OF_FINDING) == perceived | set(NAMED_FOODS) and perceived.isdisjoint(NAMED_FOODS)
    assert set(REMARKABLE).isdisjoint(UNREMARKABLE)


def test_plans_and_batches_know_the_same_groups_in_the_same_order():
    assert GROUPS == GROUPS_OF_BATCHES
