"""The rules of DESIGN section 1, on a small model with all four kinds of encoder and both fusions.

Lengths, contents, holes and garbage are drawn by hypothesis; weights are random at a fixed seed.
"""

from itertools import chain, combinations
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from fusion.batch import GROUPS, Batch, Stream, check_batch
from fusion.encoders.bert_text import BertTextEncoder
from fusion.encoders.cnn1d_signal import CNN1DEncoder
from fusion.encoders.linear_signal import LinearSignalEncoder
from fusion.encoders.spectrogram_audio import SpectrogramAudioEncoder
from fusion.encoders.timm_image import TimmImageEncoder
from fusion.fusions.concat import ConcatFusion
from fusion.fusions.cross_attention import CrossAttentionFusion
from fusion.heads.diet_tags import DietTagsHead
from fusion.heads.health_state import HealthStateHead
from fusion.heads.plan import PlanHead
from fusion.model import FusionModel

NAMES = {"text": "text", "pulse": "signals", "change": "signals", "photo": "photo", "audio": "audio"}  # modality: group
SUBSETS = list(chain.from_iterable(combinations(NAMES, n) for n in range(len(NAMES) + 1)))
DIM, IMAGE_SIZE, VOCABULARY = 16, 32, 50
BERT = dict(
    vocab_size=VOCABULARY,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=64,
)
TOKENIZER = SimpleNamespace(bos_id=1, eos_id=2, pad_id=0, vocab_size=20, max_length=12)
exact = settings(max_examples=8, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)


def build(kind: str) -> FusionModel:
    torch.manual_seed(0)
    if kind == "concat":
        fusion = ConcatFusion(dim=DIM, modalities=list(NAMES), dropout=0.1)
    else:
        fusion = CrossAttentionFusion(
            dim=DIM, modalities=list(NAMES), num_queries=3, num_own=2, num_layers=2, num_heads=2, dropout=0.1
        )
    encoders = {
        "text": BertTextEncoder(dim=DIM, name="tiny", weights="random", is_frozen=False, max_tokens=64, config=BERT),
        "pulse": CNN1DEncoder(
            dim=DIM, channels=2, rate_hz=8.0, width=8, num_blocks=2, patch_s=1.0, dropout=0.1, stride=2
        ),
        "change": LinearSignalEncoder(dim=DIM, channels=3, num_skipped=1, dropout=0.1),
        "photo": TimmImageEncoder(
            dim=DIM, name="test_resnet", weights="random", is_frozen=False, image_size=IMAGE_SIZE
        ),
        "audio": SpectrogramAudioEncoder(
            dim=DIM, num_mels=5, num_cepstra=4, hop_s=0.02, width=8, num_blocks=1, patch_s=0.2, dropout=0.1
        ),
    }
    heads = {
        "health_state": HealthStateHead(dim=DIM, classes=["a", "b", "c"], dropout=0.1),
        "plan": PlanHead(dim=DIM, width=16, num_layers=1, num_heads=2, dropout=0.1, tokenizer=TOKENIZER),
        "diet_tags": DietTagsHead(
            dim=DIM, modality="text", tags=["O", "B-VEG", "I-VEG"], width=8, reach=1, num_heads=2, dropout=0.1
        ),
    }
    return FusionModel(encoders=encoders, groups=NAMES, fusion=fusion, heads=heads).eval()


@pytest.fixture(scope="module", params=["cross_attention", "concat"])
def model(request):
    return build(request.param)


def draw_values(name: str, shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
    if name == "text":
        return torch.randint(VOCABULARY, shape, generator=generator)
    if name == "photo":
        return torch.randint(256, (*shape, 3, IMAGE_SIZE, IMAGE_SIZE), generator=generator, dtype=torch.uint8)
    return torch.randn(*shape, {"pulse": 2, "change": 3, "audio": 5}[name], generator=generator)


def draw_batch(seed: int, *, rows: int = 3, present: float = 1.0) -> Batch:
    """``rows`` records of unequal length with holes in them; a modality is there with probability ``present``."""
    generator = torch.Generator().manual_seed(seed)
    streams = {}
    for name in NAMES:
        steps = int(torch.randint(2, 4 if name == "photo" else 40, (), generator=generator))
        length = torch.randint(1, steps + 1, (rows, 1), generator=generator)
        valid = (torch.arange(steps) < length) & (torch.rand(rows, steps, generator=generator) > 0.2)
        valid[:, 0] = True
        valid &= torch.rand(rows, 1, generator=generator) < present
        time_s = torch.arange(-steps, 0).float().expand(rows, -1) * 0.5
        streams[name] = Stream(draw_values(name, (rows, steps), generator), valid, time_s)
    targets = {
        "health_state": torch.randint(3, (rows,), generator=generator),
        "plan": torch.randint(2, TOKENIZER.vocab_size, (rows, 6), generator=generator),
    }
    targets["diet_tags"] = torch.where(streams["text"].valid, streams["text"].values % 3, -100)
    names = [f"r{i}" for i in range(rows)]
    return Batch(streams, targets, names, names)


def with_garbage(name: str, stream: Stream, extra: int, generator: torch.Generator) -> Stream:
    """Append ``extra`` steps and overwrite every step that is not valid, values and times, with garbage."""
    rows = len(stream.valid)
    values = torch.cat([stream.values, draw_values(name, (rows, extra), generator)], dim=1)
    valid = torch.cat([stream.valid, torch.zeros(rows, extra, dtype=torch.bool)], dim=1)
    time_s = torch.cat([stream.time_s, torch.zeros(rows, extra)], dim=1)
    values[~valid] = 255 if name == "photo" else 10**6  # beyond any vocabulary and any physical unit
    return Stream(values, valid, time_s.masked_fill(~valid, 1e6))


def rows_of(batch: Batch, rows: torch.Tensor) -> Batch:
    ids = [batch.record_ids[i] for i in rows.tolist()]
    streams = {name: Stream(*(x[rows] for x in stream)) for name, stream in batch.streams.items()}
    return Batch(streams, {name: target[rows] for name, target in batch.targets.items()}, ids, ids)


def keep(batch: Batch, names: tuple[str, ...]) -> Batch:
    streams = {
        name: stream if name in names else stream._replace(valid=torch.zeros_like(stream.valid))
        for name, stream in batch.streams.items()
    }
    return batch._replace(streams=streams)


def trim(stream: Stream) -> Stream:
    """One row without the padding behind its last valid step."""
    steps = stream.valid[0].nonzero().flatten()
    return Stream(*(x[:, : int(steps[-1]) + 1 if len(steps) else 1] for x in stream))


def assert_same(a: dict, b: dict) -> None:
    """Equal answers; where one text is padded further, its tags are zero there."""
    for name in a:
        assert_close(*pad_alike(a[name], b[name]) if name == "diet_tags" else (a[name], b[name]), atol=1e-5, rtol=0)


def pad_alike(*answers: torch.Tensor) -> list[torch.Tensor]:
    width = max(answer.shape[1] for answer in answers)
    return [torch.nn.functional.pad(answer, (0, 0, 0, width - answer.shape[1])) for answer in answers]


@exact
@given(seed=seeds, extra=st.integers(1, 24))
@torch.no_grad()
def test_padding_and_holes_are_invisible_whatever_they_hold(model, seed, extra):
    batch = draw_batch(seed)
    generator = torch.Generator().manual_seed(seed)
    padded = {name: with_garbage(name, stream, extra, generator) for name, stream in batch.streams.items()}
    assert_same(model(batch), model(batch._replace(streams=padded)))


@exact
@given(seed=seeds)
@torch.no_grad()
def test_a_record_alone_gets_the_answer_it_gets_beside_longer_ones(model, seed):
    batch = draw_batch(seed, present=0.7)
    together = model(batch)
    for row in range(3):
        alone = rows_of(batch, torch.tensor([row]))
        trimmed = {name: trim(stream) for name, stream in alone.streams.items()}
        assert_same({name: x[row : row + 1] for name, x in together.items()}, model(alone._replace(streams=trimmed)))


@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_every_subset_trains_and_predicts(model, names):
    batch = keep(draw_batch(1), names)
    check_batch(batch, list(NAMES), list(model.heads))
    logits = model(batch)
    model.zero_grad()
    torch.stack([model.heads[name].loss(x, batch.targets[name]) for name, x in logits.items()]).sum().backward()
    assert all(torch.isfinite(x).all() for x in logits.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@torch.no_grad()
def test_nothing_present_gives_everyone_the_same_prior(model):
    state = model(keep(draw_batch(2), ()))["health_state"]
    assert_close(state, state[:1].expand_as(state), atol=1e-6, rtol=0)


@exact
@given(seed=seeds, name=st.sampled_from(list(NAMES)))
@torch.no_grad()
def test_an_absent_modality_equals_a_fully_masked_one(model, seed, name):
    batch = draw_batch(seed)
    masked = keep(batch, tuple(set(NAMES) - {name}))
    one_step = Stream(*(torch.zeros_like(x[:, :1]) for x in batch.streams[name]))
    absent = batch._replace(streams={**batch.streams, name: one_step})
    assert_same(model(masked), model(absent))


@pytest.mark.parametrize("is_training", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_an_absent_modality_costs_nothing_and_its_gradients_are_zeros_not_none(model, name, is_training):
    batch = draw_batch(3)
    batch.streams[name].valid[[0, 2]] = False
    seen = []
    hook = model.encoders[name].register_forward_pre_hook(lambda _, args: seen.append(len(args[0].valid)))
    model.train(is_training)
    try:
        model(batch)
        batch.streams[name].valid[:] = False
        model.zero_grad()
        model(batch)["health_state"].sum().backward()
    finally:
        hook.remove()
        model.eval()
    assert seen == [1, 1]  # the one row that has it; then the dummy row
    for key, parameter in model.encoders[name].named_parameters():
        assert parameter.grad is not None, key
        assert not parameter.grad.any(), key


@exact
@given(seed=seeds, order=st.permutations(range(3)), names=st.permutations(list(NAMES)))
@torch.no_grad()
def test_order_of_records_and_of_modalities_does_not_matter(model, seed, order, names):
    batch = draw_batch(seed, present=0.7)
    rows = torch.tensor(order)
    shuffled = rows_of(batch, rows)
    shuffled = shuffled._replace(streams={name: shuffled.streams[name] for name in names})
    expected = model(batch)
    assert_same({name: x[rows] for name, x in expected.items()}, model(shuffled))
    token_sets = model.encode(batch.streams)
    fused = model.fuse({name: token_sets[name] for name in names})
    assert_same(expected, model.answer(fused, batch.targets))


@exact
@given(seed=seeds, name=st.sampled_from(list(NAMES)), shift_s=st.sampled_from([-5.0, -600.0, -86_400.0]))
@torch.no_grad()
def test_moving_an_input_in_time_changes_the_answer(model, seed, name, shift_s):
    batch = draw_batch(seed)
    stream = batch.streams[name]
    moved = {**batch.streams, name: stream._replace(time_s=stream.time_s + shift_s)}
    before, after = model(batch)["health_state"], model(batch._replace(streams=moved))["health_state"]
    assert ((before - after).abs().amax(dim=1) > 1e-4).all()


@torch.no_grad()
def test_every_modality_changes_the_answer(model):
    batch = draw_batch(4)
    everything = model(batch)["health_state"]
    for name in NAMES:
        without = model(keep(batch, tuple(set(NAMES) - {name})))["health_state"]
        assert ((everything - without).abs().amax(dim=1) > 1e-4).all(), name


def test_training_leaves_the_statistics_of_batchnorm_alone(model):
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.train()
    model(draw_batch(5))
    model.eval()
    assert any("running_mean" in name for name in before)
    for name, buffer in model.named_buffers():
        assert_close(buffer, before[name])


def test_the_small_model_covers_every_group():
    assert set(NAMES.values()) == set(GROUPS)
