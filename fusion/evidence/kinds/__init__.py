"""How each kind of target is measured, with what intervals, and drawn: one file a kind of fusion.targets.KINDS."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fusion.targets import KINDS, Target

if TYPE_CHECKING:
    from fusion.evidence.kinds.base import Kind


def kind_of(target: Target) -> Kind:
    """What measures and draws answers to ``target``: <kind>.py holds the class <Kind>Kind."""
    assert target.kind in KINDS, target
    module = import_module(f"fusion.evidence.kinds.{target.kind}")
    return getattr(module, f"{target.kind.capitalize()}Kind")(names=target.names, unit=target.unit)
