"""Write the plan with a pretrained language model that learns to look at the fused tokens."""

# Shapes: B people, P plan tokens, T tokens of the language model, Q fused tokens, D fused width, W its hidden width.

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, DynamicCache, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from fusion.batch import Fused
from fusion.decoding.generate import generate
from fusion.heads.base import Head
from fusion.layers import Attention, FeedForward, KeysValues
from fusion.plan import load_tokenizer
from fusion.plan.language.piecewise import PiecewiseTokenizer
from fusion.plan.rules.limits import NO_LIMITS, Limits
from fusion.targets import UNLABELLED
from fusion.weights import PRETRAINED, check_weights, find_weights, missing_weights


class PlanLMHead(Head):
    """A causal language model with gated cross-attention before its layers (Flamingo, Alayrac et al. 2022, 2.2).

    The gates start closed: the model begins as the language model it was. ``name``: a hub name or a local directory,
    which has the tokenizer too (a byte-level BPE); ``weights`` "random" takes its sizes only, changed by ``config``.
    ``lora_rank``: width of trainable low-rank updates (Hu et al. 2022) of a frozen model, 0 = none.
    ``read_every``: layers a gate; ``max_length``: tokens of this model, about three a plan token.

    Targets and answers are ids of the plan tokenizer, as for PlanHead; logits are the language model's.
    """

    kind = "plan"
    is_generative = True

    def __init__(
        self,
        *,
        target: str,
        loss_weight: float,
        dim: int,
        name: str,
        weights: str,
        is_frozen: bool,
        lora_rank: int,
        read_every: int,
        dropout: float,
        max_length: int,
        is_constrained: bool = True,
        config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(target=target, names=(), loss_weight=loss_weight)
        check_weights(weights)
        self.is_frozen, self.is_constrained, self.max_length = is_frozen, is_constrained, max_length
        self.plans = load_tokenizer()
        self.lm, self.tokenizer = _load(name, weights, config or {})
        self.bos_id, self.eos_id, self.pad_id = self.tokenizer.bos_id, self.tokenizer.eos_id, self.tokenizer.eos_id
        sizes = self.lm.config
        if max_length > sizes.max_position_embeddings:
            raise ValueError(
                f"max_length={max_length}, but {name!r} reads at most {sizes.max_position_embeddings} tokens; lower "
                "model.heads.plan.max_length or name a language model that reads more"
            )
        if lora_rank and not is_frozen:
            raise ValueError(f"lora_rank={lora_rank} needs is_frozen=true; now every weight trains")
        if is_frozen:
            self.lm.requires_grad_(False)
        if lora_rank:
            _add_lora(self.lm, lora_rank)
        layers = _layers(self.lm)[::read_every]
        width, num_heads = sizes.hidden_size, sizes.num_attention_heads
        self.memory = nn.Sequential(nn.Linear(dim, width), nn.LayerNorm(width))
        self.gates = nn.ModuleList(_Gate(width, num_heads, dropout) for _ in layers)
        for layer, gate in zip(layers, self.gates, strict=True):
            layer.register_forward_pre_hook(gate.before)

    def train(self, mode: bool = True) -> PlanLMHead:
        """Train as any module, but leave a frozen language model in evaluation mode."""
        super().train(mode)
        if self.is_frozen:
            self.lm.eval()
        return self

    def forward(self, fused: Fused, target: Tensor | None = None) -> Tensor:
        """Teacher-forced logits (B, T, V) over the language model's own tokens of the plans in ``target`` (B, P)."""
        if target is None:
            raise ValueError("the plan head is taught by its target, got None; call predict or generate for an answer")
        own = self._own(target)
        if own.shape[1] > self.max_length:
            raise ValueError(
                f"a plan takes {own.shape[1]} tokens of the language model, the head writes at most {self.max_length}; "
                "raise model.heads.plan.max_length"
            )
        read = torch.full_like(own, self.bos_id)
        read[:, 1:] = own[:, :-1].masked_fill(own[:, :-1] == UNLABELLED, self.pad_id)
        self._show(self.memory(fused.tokens))
        return self.lm(input_ids=read, use_cache=False).logits

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross entropy, mean over the language model's tokens of all labelled plans."""
        if not self.is_labelled(target).any():
            return logits.sum() * 0
        return F.cross_entropy(logits.flatten(0, 1), self._own(target).flatten(), ignore_index=UNLABELLED)

    def weight(self, target: Tensor) -> Tensor:
        """Labelled tokens of the language model."""
        return (self._own(target) != UNLABELLED).sum()

    def predict(self, fused: Fused, limits: Sequence[Limits] | None = None) -> Tensor:
        """The plan as ids (B, P) of the plan tokenizer, within the ``limits`` of every person."""
        return self.generate(fused, limits=limits)

    def generate(
        self, fused: Fused, *, limits: Sequence[Limits] | None = None, method: str = "greedy", **options: Any
    ) -> Tensor:
        """Ids (B, P) of the plan tokenizer, as PlanHead.generate."""
        if limits is None and self.is_constrained:
            limits = [NO_LIMITS] * len(fused.tokens)
        device = fused.tokens.device
        with torch.inference_mode():
            writer = _Writer(self, self.memory(fused.tokens))
            where = {"device": device, "tokenizer": self.tokenizer}
            own = generate(writer, len(fused.tokens), limits=limits, method=method, **where, **options)
        texts = [self.tokenizer.decode(row) for row in own.tolist()]
        return _padded([self.plans.encode(text)[1:] for text in texts], self.plans.pad_id, device)

    def _own(self, target: Tensor) -> Tensor:
        """Plan tokens (B, P), -100 beyond -> the same texts in the language model's tokens (B, T)."""
        rows = [[token for token in row if token != UNLABELLED] for row in target.tolist()]
        return _padded(
            [self.tokenizer.encode(self.plans.decode(row))[1:] if row else [] for row in rows],
            UNLABELLED,
            target.device,
        )

    def _show(self, memory: Tensor) -> None:
        """Let the gates look at memory (B, Q, W) in the passes to come."""
        for gate in self.gates:
            gate.context = gate.read.read(memory)


class _Writer:
    """The language model in the middle of writing."""

    def __init__(self, head: PlanLMHead, memory: Tensor) -> None:
        self.bos_id, self.eos_id, self.pad_id, self.max_length = head.bos_id, head.eos_id, head.pad_id, head.max_length
        self.head, self.past = head, DynamicCache(config=head.lm.config)
        head._show(memory)

    def step(self, last: Tensor) -> Tensor:
        """The last token of every row (N,) -> logits of the next (N, V)."""
        return self.head.lm(input_ids=last[:, None], past_key_values=self.past, use_cache=True).logits[:, -1]

    def select(self, rows: Tensor) -> None:
        """Keep ``rows`` only, in this order."""
        self.past.reorder_cache(rows)
        for gate in self.head.gates:
            gate.context = KeysValues(*(part[rows] for part in gate.context))


class _Gate(nn.Module):
    """Look at the person, then think, each through a tanh gate that starts closed."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.read = Attention(dim=width, num_heads=num_heads, dropout=dropout)
        self.feed_forward = FeedForward(dim=width, hidden=4 * width, dropout=dropout)
        self.openings = nn.Parameter(torch.zeros(2))
        self.context: KeysValues | None = None  # of the people in sight; set before every pass

    def before(self, layer: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """A forward pre-hook: the layer's hidden states (B, T, W) come first among its arguments."""
        x, *others = arguments
        x = x + self.openings[0].tanh() * self.read(self.norms[0](x), self.context)
        return (x + self.openings[1].tanh() * self.feed_forward(self.norms[1](x)), *others)


def _load(name: str, weights: str, config: dict[str, Any]) -> tuple[PreTrainedModel, PiecewiseTokenizer]:
    """The language model and its tokenizer; ValueError where they are nowhere to be found."""
    place, where = find_weights(name), {}
    if place.endswith(".gguf"):  # one file holds sizes, words and quantised weights, which are widened here
        place, where = str(Path(place).parent), {"gguf_file": Path(place).name}
    try:
        sizes = AutoConfig.from_pretrained(place, **where, **config)
        words = AutoTokenizer.from_pretrained(place, **where)
        if weights == PRETRAINED:
            lm = AutoModelForCausalLM.from_pretrained(place, config=sizes, dtype=torch.float32, **where)
        else:
            lm = AutoModelForCausalLM.from_config(sizes)
    except OSError as error:
        raise missing_weights(name) from error
    if words.eos_token_id is None:
        raise ValueError(f"tokenizer of {name!r} has no end token; name a language model that has one")
    tokenizer = PiecewiseTokenizer(
        name=name,
        encode_text=lambda text: words.encode(text, add_special_tokens=False),
        decode_ids=lambda ids: words.decode(ids, clean_up_tokenization_spaces=False),
        bos_id=words.eos_token_id if words.bos_token_id is None else words.bos_token_id,
        eos_id=words.eos_token_id,
    )
    return lm, tokenizer


def _add_lora(lm: PreTrainedModel, rank: int) -> None:
    """Give every linear layer but the last an update of low rank that starts at zero."""
    from peft import LoraConfig, inject_adapter_in_model  # here: seconds to import, and needed by this option only

    if rank < 1:
        raise ValueError(f"lora_rank={rank}, expected at least 1; 0 leaves the updates out")
    is_turned = any(isinstance(module, Conv1D) for module in lm.modules())  # GPT-2 keeps its weights transposed
    settings = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", fan_in_fan_out=is_turned)
    inject_adapter_in_model(settings, lm)


def _layers(lm: PreTrainedModel) -> nn.ModuleList:
    """The transformer layers, by their number: every family keeps them under another name."""
    count = lm.config.num_hidden_layers
    return next(m for m in lm.modules() if isinstance(m, nn.ModuleList) and len(m) == count)


def _padded(rows: list[list[int]], filler: int, device: torch.device) -> Tensor:
    """(B, longest), filled up with ``filler``; one column where all are empty."""
    width = max([1, *(len(row) for row in rows)])
    return torch.tensor([row + [filler] * (width - len(row)) for row in rows], device=device)
