"""What other heads believe, for a head that builds on them."""

# Shapes: B people, Q fused tokens, D fused width, K classes of a head, W width of a token.

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fusion.batch import Fused
from fusion.heads.base import Head


class Beliefs(nn.Module):
    """The probabilities of other heads as one token a head.

    ``heads``: names of heads of the model and their classes. They are read, not taught: no gradient flows back, so
    that a plan's loss cannot bend what the model perceives. Tokens are normalised as the memory is that they join:
    smaller ones the decoder was slow to read (the synthetic plan head after the same 380 steps on fixed perception,
    seed 0, validation: the goal right in 0.857 of plans without, 0.977 with; slot-F1 0.846 and 0.900).
    """

    def __init__(self, *, heads: Mapping[str, Sequence[str]], width: int) -> None:
        super().__init__()
        self.classes = {name: tuple(values) for name, values in heads.items()}
        self.embed = nn.ModuleDict({name: nn.Linear(len(values), width) for name, values in self.classes.items()})

    def bind(self, heads: Mapping[str, Head]) -> None:
        """Take hold of the heads; they stay the model's own modules."""
        for name, values in self.classes.items():
            if name not in heads:
                raise ValueError(f"head {name!r} is to be read but is none of {sorted(heads)}; add it to head=[...]")
            if heads[name].names != values:
                raise ValueError(f"head {name!r} is read as {values}, it says {heads[name].names}")
        self._heads = {name: (heads[name],) for name in self.classes}  # tuples: not registered a second time

    def forward(self, fused: Fused) -> Tensor:
        """(B, heads, W)."""
        tokens = torch.stack([self.embed[name](self.of(name, fused)) for name in self.classes], dim=1)
        return F.layer_norm(tokens, tokens.shape[2:])

    @torch.no_grad()
    def of(self, name: str, fused: Fused) -> Tensor:
        """Probabilities (B, K) of one head."""
        (head,) = self._heads[name]
        return head.predict(fused).to(fused.tokens.dtype)

    def sure(self, fused: Fused, finding_of: Mapping[str, Mapping[str, str]], least: float) -> list[tuple[str, ...]]:
        """By row, the findings that their head believes in with at least probability ``least``.

        ``finding_of``: head -> class -> the finding that the class stands for.
        """
        rows: list[tuple[str, ...]] = [()] * len(fused.tokens)
        for name, findings in finding_of.items():
            is_sure = self.of(name, fused) >= least
            for row, column in is_sure.nonzero().tolist():
                rows[row] += (findings[self.classes[name][column]],)
        return rows
