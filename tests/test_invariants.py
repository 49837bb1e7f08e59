"""The rules of DESIGN section 1, on a small model of every encoder and head that conf/ names, for every fusion.

Lengths, contents, holes and garbage are drawn by hypothesis; weights are random at a fixed seed.
"""

from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import FUSIONS, HEADS, draw_batch, draw_values, modalities, small_model
from torch.testing import assert_close

from fusion.batch import GROUPS, Batch, Stream, check_batch

NAMES = modalities()  # modality: group
ANSWER = "classify"  # the head that is looked at where one is enough
SUBSETS = [(), *((name,) for name in NAMES), *combinations(NAMES, 2), tuple(NAMES)]
exact = settings(max_examples=8, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)


@pytest.fixture(scope="module", params=FUSIONS)
def model(request):
    return small_model(request.param)


def with_garbage(name: str, stream: Stream, extra: int, generator: torch.Generator) -> Stream:
    """Append ``extra`` steps and overwrite every step that is not valid, values and times, with garbage."""
    rows = len(stream.valid)
    values = torch.cat([stream.values, draw_values(name, (rows, extra), generator)], dim=1)
    valid = torch.cat([stream.valid, torch.zeros(rows, extra, dtype=torch.bool)], dim=1)
    time_s = torch.cat([stream.time_s, torch.zeros(rows, extra)], dim=1)
    values[~valid] = 255 if NAMES[name] == "photo" else 10**6  # beyond any vocabulary and any physical unit
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
        assert_close(*pad_alike(a[name], b[name]) if name == "tag" else (a[name], b[name]), atol=1e-5, rtol=0)


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
    check_batch(batch, list(NAMES), {name: head.target for name, head in model.heads.items()})
    logits = model(batch)
    model.zero_grad()
    losses = [model.heads[name].loss(x, batch.targets[name]) for name, x in logits.items()]
    torch.stack(losses).sum().backward()
    assert all(torch.isfinite(x).all() for x in logits.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.requires_grad)


@torch.no_grad()
def test_nothing_present_gives_everyone_the_same_prior(model):
    state = model(keep(draw_batch(2), ()))[ANSWER]
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
        model(batch)[ANSWER].sum().backward()
    finally:
        hook.remove()
        model.eval()
    assert seen == [1, 1]  # the one row that has it; then the dummy row
    trainable = [(key, p) for key, p in model.encoders[name].named_parameters() if p.requires_grad]
    assert trainable
    for key, parameter in trainable:
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
    before, after = model(batch)[ANSWER], model(batch._replace(streams=moved))[ANSWER]
    assert ((before - after).abs().amax(dim=1) > 1e-4).all()


@torch.no_grad()
def test_every_modality_changes_the_answer(model):
    batch = draw_batch(4)
    everything = model(batch)[ANSWER]
    for name in NAMES:
        without = model(keep(batch, tuple(set(NAMES) - {name})))[ANSWER]
        assert ((everything - without).abs().amax(dim=1) > 1e-4).all(), name


def test_training_leaves_the_statistics_of_batchnorm_alone(model):
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.train()
    model(draw_batch(5))
    model.eval()
    assert any("running_mean" in name for name in before)
    for name, buffer in model.named_buffers():
        assert_close(buffer, before[name])


def test_the_small_model_covers_every_group_and_every_head_of_a_kind():
    assert set(NAMES.values()) == set(GROUPS)
    assert len(HEADS) >= 5 and len(FUSIONS) >= 2
