"""Build objects from a plain configuration, as hydra would, but only ours: an exported folder may come from anyone."""

from __future__ import annotations

from importlib import import_module

ROOMS = ("fusion.model", "fusion.encoders", "fusion.fusions", "fusion.heads", "datamodules.transforms")


def construct(node: object) -> object:
    """Replace every mapping that has a ``_target_`` by an object of that class; the rest stays as it is.

    ValueError names a target that is not a class of ROOMS, and one that refuses its arguments.
    """
    if isinstance(node, list):
        return [construct(item) for item in node]
    if not isinstance(node, dict):
        return node
    arguments = {key: construct(value) for key, value in node.items() if key != "_target_"}
    if "_target_" not in node:
        return arguments
    target = node["_target_"]
    try:
        return _find(target)(**arguments)
    except TypeError as error:
        raise ValueError(f"{target} does not take what the configuration gives it: {error}") from error


def _find(target: str) -> type:
    module, _, name = str(target).rpartition(".")
    if not any(module == room or module.startswith(f"{room}.") for room in ROOMS):
        raise ValueError(f"_target_ is {target!r}, expected a class of {', '.join(ROOMS)}; build others with hydra")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"_target_ {target!r} does not exist: {error}") from error
    if not isinstance(found, type) or found.__module__ != module:
        raise ValueError(f"_target_ {target!r} is not a class of its own module; fix the configuration")
    return found
