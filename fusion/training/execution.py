"""How the model's modules run. What they compute stays the same: memory or speed is bought with time or patience."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

EXAMPLE = "encoders.text.backbone.encoder.layer, fusion.layers or heads.*.layers"


def execute(
    model: nn.Module, *, recomputed: Sequence[str], compiled: Sequence[str], compile: Mapping[str, Any]
) -> None:
    """Change ``model`` in place. Modules are named as in ``named_modules``, * stands for one part between dots.

    ``recomputed``: the backward pass computes their activations again instead of keeping them (Chen et al. 2016), for
    the members of a list one by one. Dropout draws the same numbers the second time. ``compiled``: by
    ``torch.compile``, with the arguments ``compile``. A module inside another that is named is left to that one.
    """
    for module in _find(model, recomputed, "recomputed"):
        for member in module if isinstance(module, nn.ModuleList | nn.Sequential) else [module]:
            member.forward = partial(checkpoint, member.forward, use_reentrant=False)
    for module in _find(model, compiled, "compiled"):
        for member in module if isinstance(module, nn.ModuleList) else [module]:  # a list itself is never called
            member.compile(**compile)


def _find(model: nn.Module, patterns: Sequence[str], key: str) -> list[nn.Module]:
    """The modules that a pattern names, once each, without those that lie inside another."""
    found: dict[str, nn.Module] = {}
    for pattern in patterns:
        matching = {name: module for name, module in model.named_modules() if _is_named(name, pattern)}
        if not matching:
            parts = [f"encoders.{name}" for name in model.encoders] + ["fusion"] + [f"heads.{n}" for n in model.heads]
            raise ValueError(
                f"execution.{key} names {pattern!r}, and no module of the model is called so; its parts are {parts}, "
                f"and theirs for example {EXAMPLE}"
            )
        found |= matching
    return [module for name, module in found.items() if not any(name.startswith(f"{outer}.") for outer in found)]


def _is_named(name: str, pattern: str) -> bool:
    """fnmatch's * by itself would also cross dots, and name everything inside a layer."""
    parts, wanted = name.split("."), pattern.split(".")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
