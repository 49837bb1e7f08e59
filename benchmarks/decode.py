"""How much faster the plan head writes than ``transformers`` does with the same weights, and what limits cost.

    OMP_NUM_THREADS=1 python -m benchmarks.decode [--rounds 12]

One decoder of the default size with random weights, copied into a GPT-2 with cross-attention: the same tokens come out,
which is asserted. Contenders take turns (round-robin) on one thread; figures are medians over rounds of the ratio of
their CPU times, so that other work on the machine meets both alike. Takes about two minutes.
"""

# Shapes: B people, Q fused tokens, D width, P plan tokens.

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging as transformers_logging

from fusion.batch import TokenSet
from fusion.heads.plan import PlanHead
from fusion.plan import Plan, load_tokenizer, parse
from fusion.plan.rules.limits import NO_LIMITS

WIDTH, NUM_LAYERS, NUM_HEADS = 128, 2, 4  # conf/model/small.yaml
NUM_FUSED = 12  # 8 learned queries and 4 tokens of a person's own
NUM_TOKENS = 96  # a typical plan; <eos> is kept out, so that both write the same number


def build_pair(*, num_tokens: int) -> tuple[PlanHead, GPT2LMHeadModel]:
    """The plan head and a GPT-2 that computes the same function."""
    torch.manual_seed(0)
    sizes = dict(dim=WIDTH, width=WIDTH, num_layers=NUM_LAYERS, num_heads=NUM_HEADS, dropout=0.1)
    head = PlanHead(target="plan", loss_weight=1.0, **sizes, max_length=num_tokens).eval()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # a fresh decoder would repeat one token
    tokenizer = load_tokenizer()
    config = GPT2Config(
        vocab_size=tokenizer.vocab_size, n_positions=num_tokens, n_embd=WIDTH, n_layer=NUM_LAYERS, n_head=NUM_HEADS,
        activation_function="gelu", add_cross_attention=True, tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_id, eos_token_id=tokenizer.eos_id, pad_token_id=tokenizer.pad_id,
    )  # fmt: skip
    reference = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        head.norm.weight.fill_(1)
        forbid_end(head)
        _copy(head, reference)
    return head, reference


def forbid_end(head: PlanHead) -> None:
    """Make <eos> the least likely token everywhere: the last features of every position point away from it."""
    head.norm.weight[-1] = 0
    head.norm.bias[-1] = 100.0
    head.embed.weight[:, -1] = 0
    head.embed.weight[head.eos_id, -1] = -10


def _copy(head: PlanHead, reference: GPT2LMHeadModel) -> None:
    """Weights of the head into GPT-2, whose linear layers are stored the other way round."""
    transformer = reference.transformer
    pairs = [(transformer.wte.weight, head.embed.weight), (transformer.wpe.weight, head.position.weight)]
    pairs += _norm(transformer.ln_f, head.norm)
    for block, layer in zip(transformer.h, head.layers, strict=True):
        own, read, (up, _, down, _) = layer.look_back, layer.read, layer.feed_forward
        pairs += _norm(block.ln_1, layer.norms[0])
        pairs += _norm(block.ln_cross_attn, layer.norms[1])
        pairs += _norm(block.ln_2, layer.norms[2])
        pairs.append((block.attn.c_attn.weight, torch.cat([own.query.weight, own.key_value.weight]).T))
        pairs.append((block.attn.c_attn.bias, torch.cat([own.query.bias, own.key_value.bias])))
        for target, source in [
            (block.attn.c_proj, own.out),
            (block.crossattention.q_attn, read.query),
            (block.crossattention.c_attn, read.key_value),
            (block.crossattention.c_proj, read.out),
            (block.mlp.c_fc, up),
            (block.mlp.c_proj, down),
        ]:
            pairs += [(target.weight, source.weight.T), (target.bias, source.bias)]
    for target, source in pairs:
        target.copy_(source)


def _norm(target: torch.nn.LayerNorm, source: torch.nn.LayerNorm) -> list[tuple[Tensor, Tensor]]:
    return [(target.weight, source.weight), (target.bias, source.bias)]


def cpu_seconds(contenders: dict[str, Callable[[], Tensor]], *, rounds: int) -> dict[str, list[float]]:
    """CPU time of every contender in every round, in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for write in contenders.values():
        write()  # caches and memory pools fill
    for _ in range(rounds):
        for name, write in contenders.items():
            start = time.thread_time()
            write()
            seconds[name].append(time.thread_time() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=12)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    transformers_logging.set_verbosity_error()
    print("batch  dtype     plan head   transformers   ratio")
    for dtype in (torch.float32, torch.bfloat16):
        for num_rows in (1, 16):
            ours, theirs = _against_transformers(num_rows, dtype, rounds=rounds)
            ratio = median(b / a for a, b in zip(ours, theirs, strict=True))
            name = str(dtype).removeprefix("torch.")
            a, b = (1000 * median(times) / NUM_TOKENS for times in (ours, theirs))
            print(f"{num_rows:5}  {name:8}  {a:6.2f} ms   {b:8.2f} ms   {ratio:6.2f}   a token")
    for num_rows in (1, 16):
        ratio = _within_limits_against_free(num_rows, rounds=rounds)
        print(f"within limits / free, batch {num_rows}: {ratio:.2f} a token")


def _against_transformers(num_rows: int, dtype: torch.dtype, *, rounds: int) -> tuple[list[float], list[float]]:
    head, reference = (model.to(dtype) for model in build_pair(num_tokens=NUM_TOKENS))
    fused = random_fused(num_rows, dtype)
    memory = head.memory(fused.tokens).detach()

    written = head.generate(fused)
    exact = _write(reference.float(), memory.float())  # in bf16 it rounds between layers, and then tokens differ
    assert written.shape == (num_rows, NUM_TOKENS), written.shape
    assert torch.equal(written, exact), "the two decoders write different tokens"
    reference.to(dtype)
    contenders = {"ours": lambda: head.generate(fused), "theirs": lambda: _write(reference, memory)}
    seconds = cpu_seconds(contenders, rounds=rounds)
    return seconds["ours"], seconds["theirs"]


def _write(reference: GPT2LMHeadModel, memory: Tensor) -> Tensor:
    first = torch.full((len(memory), 1), reference.config.bos_token_id)
    with torch.inference_mode():
        ids = reference.generate(first, encoder_hidden_states=memory, max_new_tokens=NUM_TOKENS, do_sample=False)
    return ids[:, 1:]


def _within_limits_against_free(num_rows: int, *, rounds: int) -> float:
    """CPU time within NO_LIMITS over that of writing as many free tokens.

    Everyone has the same fused tokens, so that all plans end together: elsewhere rows leave the batch, free ones too.
    """
    head, _ = build_pair(num_tokens=load_tokenizer().max_length)
    one = random_fused(1, torch.float32)
    fused = TokenSet(*(part.expand(num_rows, *part.shape[1:]).contiguous() for part in one))
    limits = [NO_LIMITS] * num_rows
    ids = head.generate(fused, limits=limits)
    assert all(isinstance(parse(load_tokenizer().decode(row)), Plan) for row in ids.tolist())
    head.max_length = ids.shape[1]
    assert head.generate(fused).shape == ids.shape
    contenders = {"within": lambda: head.generate(fused, limits=limits), "free": lambda: head.generate(fused)}
    seconds = cpu_seconds(contenders, rounds=rounds)
    return median(a / b for a, b in zip(seconds["within"], seconds["free"], strict=True))


def random_fused(num_rows: int, dtype: torch.dtype) -> TokenSet:
    """Random fused tokens (B, Q, D) of ``num_rows`` people."""
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randn(num_rows, NUM_FUSED, WIDTH, generator=generator).to(dtype)
    return TokenSet(tokens, torch.ones(num_rows, NUM_FUSED, dtype=torch.bool), torch.zeros(num_rows, NUM_FUSED))


if __name__ == "__main__":
    main()
