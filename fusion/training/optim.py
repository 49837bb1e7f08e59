"""AdamW with parameter groups, and warm-up then cosine by fraction of the run."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR


class AdamW:
    """Build the optimiser and its schedule for a module.

    ``backbone_lr_scale`` multiplies the rate of pretrained weights (parameters under a ``backbone``). Biases, norms and
    embeddings of one dimension are not decayed. The rate rises linearly over ``warmup_fraction`` of the steps, then
    falls along a cosine to ``final_fraction`` of ``lr``. ``is_fused``: one kernel updates many weights, the same way.
    """

    def __init__(
        self, *, lr: float, weight_decay: float, betas: tuple[float, float], backbone_lr_scale: float,
        warmup_fraction: float, final_fraction: float, is_fused: bool = True,
    ):  # fmt: skip
        self.lr, self.weight_decay, self.betas = lr, weight_decay, tuple(betas)
        self.backbone_lr_scale, self.warmup_fraction = backbone_lr_scale, warmup_fraction
        self.final_fraction, self.is_fused = final_fraction, is_fused

    def build(self, model: nn.Module, num_steps: int) -> tuple[torch.optim.AdamW, LambdaLR]:
        """``num_steps``: optimiser steps of the whole run."""
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                key = (".backbone." in name, parameter.ndim > 1)
                groups.setdefault(key, []).append(parameter)
        if not groups:
            raise ValueError("the model has no trainable parameter; unfreeze an encoder or add a head")
        optimizer = torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "lr": self.lr * (self.backbone_lr_scale if is_backbone else 1.0),
                    "weight_decay": self.weight_decay if is_matrix else 0.0,
                }
                for (is_backbone, is_matrix), parameters in groups.items()
            ],
            betas=self.betas,
            fused=self.is_fused,
        )
        # gradients are unscaled before they are clipped; with True, Lightning refuses to clip under bf16 as well
        optimizer._step_supports_amp_scaling = False
        return optimizer, LambdaLR(optimizer, lambda step: self.fraction(step, num_steps))

    def fraction(self, step: int, num_steps: int) -> float:
        """The rate at ``step`` as a fraction of ``lr``."""
        warmup = self.warmup_fraction * num_steps
        if step < warmup:
            return (step + 1) / (warmup + 1)
        progress = min(1.0, (step - warmup) / max(1.0, num_steps - warmup))
        return self.final_fraction + (1 - self.final_fraction) * 0.5 * (1 + math.cos(math.pi * progress))
