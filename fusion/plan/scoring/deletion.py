"""Does what a plan cites matter to it? The deletion test (DeYoung et al. 2020, section 4: comprehensiveness)."""

from __future__ import annotations

from collections.abc import Mapping

from fusion.plan.findings import GROUPS
from fusion.plan.schema import Plan

Plans = Mapping[str, Plan]  # by record id


def deletion_test(full: Plans, without: Mapping[str, Plans]) -> dict[str, float]:
    """How often a plan changes when a group of modalities is hidden that it cites, or one that it does not cite.

    ``full``: plans with everything shown; ``without``: by hidden group, the plans of the same records. What counts is
    the advice: `because` is not compared, since it must lose what is hidden. Hiding the text also hides goal and
    constraints, which every plan uses, so text is left out. A share that has nothing to count is left out too.
    ``deletion_faithfulness`` is the first share less the second: above 0, plans rest on what they cite.
    """
    changed: dict[bool, list[bool]] = {True: [], False: []}
    for group in GROUPS[1:]:
        for record, plan in without.get(group, {}).items():
            is_cited = any(claim.group == group for claim in full[record].because)
            changed[is_cited].append(_advice(plan) != _advice(full[record]))
    names = {True: "changed_without_cited", False: "changed_without_uncited"}
    shares = {names[k]: sum(values) / len(values) for k, values in changed.items() if values}
    if len(shares) == 2:
        shares["deletion_faithfulness"] = shares[names[True]] - shares[names[False]]
    return shares


def _advice(plan: Plan) -> Plan:
    return plan.model_copy(update={"because": ()})
