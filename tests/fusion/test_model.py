"""model.py with a stand-in encoder: who is run, what comes back, which mistakes are named."""

import pytest
import torch
from heads import classify
from torch import nn
from torch.testing import assert_close

from fusion.batch import Batch, Stream, TokenSet
from fusion.encoders.base import Encoder
from fusion.fusions.concat import ConcatFusion
from fusion.model import FusionModel


class Scale(Encoder):
    """Every step is a token: its value times a learned vector."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.scale = nn.Parameter(torch.ones(dim))

    def forward(self, stream: Stream) -> TokenSet:
        return TokenSet(stream.values * self.scale, stream.valid, stream.time_s)


def build(**changes) -> FusionModel:
    parts = {
        "encoders": {"a": Scale(4), "b": Scale(4)},
        "groups": {"a": "text", "b": "audio"},
        "fusion": ConcatFusion(dim=4, modalities=["a", "b"], dropout=0.0),
        "heads": {"state": classify(["x", "y"], dim=4)},
    }
    return FusionModel(**parts | changes)


def stream(valid: list[list[bool]]) -> Stream:
    mask = torch.tensor(valid)
    return Stream(torch.arange(1.0, mask.numel() + 1).reshape(*mask.shape, 1), mask, -torch.ones(mask.shape))


def test_tokens_return_to_their_own_rows():
    here = stream([[True, True], [False, False], [True, False]])
    tokens, valid, time_s = build().encode({"a": here, "b": here})["a"]
    assert tokens[:, :, 0].tolist() == [[1, 2], [0, 0], [5, 6]]
    assert_close(valid, here.valid)
    assert time_s.tolist() == [[-1, -1], [0, 0], [-1, -1]]


def test_where_no_row_has_it_no_value_of_the_dummy_leaks_and_weights_are_touched():
    model = build()
    nothing = stream([[False, False], [False, False]])
    model.encoders["a"].dummy = lambda like: stream([[True, True]])
    tokens, valid, _ = model.encode({"a": nothing, "b": nothing})["a"]
    assert tokens.shape == (2, 2, 4)
    assert not tokens.any()
    assert not valid.any()
    tokens.sum().backward()
    assert model.encoders["a"].scale.grad.tolist() == [0.0] * 4


def test_gradients_of_present_rows_pass_through_the_scatter():
    model = build()
    here = stream([[True, True], [False, False]])
    model.encode({"a": here, "b": here})["a"].tokens.sum().backward()
    assert model.encoders["a"].scale.grad.tolist() == [3.0] * 4


def test_one_call_is_encode_then_fuse_then_answer():
    model = build()
    batch = Batch({"a": stream([[True]]), "b": stream([[False]])}, {}, ["r"], ["p"])
    expected = model.answer(model.fuse(model.encode(batch.streams)), {})
    assert_close(model(batch), expected)


def test_a_missing_stream_is_named():
    with pytest.raises(ValueError, match=r"no stream for \['b'\]"):
        build().encode({"a": stream([[True]])})


def test_an_unknown_group_is_named():
    with pytest.raises(ValueError, match="modality 'b' has group 'smell'"):
        build(groups={"a": "text", "b": "smell"})


def test_widths_that_do_not_meet_are_named():
    with pytest.raises(ValueError, match="encoder 'b' gives width 5, fusion reads 4"):
        build(encoders={"a": Scale(4), "b": Scale(5)})


@pytest.mark.parametrize("is_teaching", [True, False])
def test_fused_tokens_teach_the_encoders_only_where_they_may(is_teaching):
    model, here = build(is_fusion_teaching=is_teaching), stream([[True, True], [True, False]])
    model.fuse(model.encode({"a": here, "b": here})).tokens.square().sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in model.encoders.parameters()) is is_teaching
    assert any(p.grad is not None and p.grad.any() for p in model.fusion.parameters())
