"""timm_image against timm's own model and preprocessing."""

import pytest
import timm
import torch
from torch.testing import assert_close

from fusion.batch import Stream
from fusion.encoders.timm_image import TimmImageEncoder


def build(**changes) -> TimmImageEncoder:
    torch.manual_seed(0)
    arguments = dict(dim=8, name="test_resnet", weights="random", is_frozen=True, image_size=64)
    return TimmImageEncoder(**arguments | changes)


def stream(valid: list[list[bool]], size: int = 64) -> Stream:
    mask = torch.tensor(valid)
    generator = torch.Generator().manual_seed(0)
    photos = torch.randint(256, (*mask.shape, 3, size, size), generator=generator, dtype=torch.uint8)
    return Stream(photos, mask, -60.0 * torch.arange(1, mask.shape[1] + 1).expand(mask.shape))


def test_packaged_weights_classify_and_normalise_as_timm_does():
    encoder = TimmImageEncoder(dim=8, name="efficientnet_lite0", weights="pretrained", is_frozen=True, image_size=64)
    raw = stream([[True]])
    transform = timm.data.create_transform(
        **timm.data.resolve_data_config({"input_size": (3, 64, 64)}, model=encoder.backbone), is_training=False
    )
    normalise = transform.transforms[-1]
    expected = encoder.backbone.forward_features(normalise(raw.values[0].float() / 255))
    assert_close(encoder.features(raw).values[0], expected.flatten(2)[0].T, atol=1e-4, rtol=1e-4)
    # trained weights, not leftovers of an initialisation: normalised by their own statistics, features are sparse
    assert encoder.backbone.bn1.running_var.std() > 0.01


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_mambaout"])
def test_every_layout_of_feature_map_becomes_tokens(name):
    encoder = build(name=name).eval()
    raw = stream([[True, True]])
    tokens, valid, time_s = encoder(raw)
    n = encoder.positions
    assert tokens.shape == (1, 2 * n + 2, 8)
    assert valid.all()
    assert_close(tokens[0, -1], tokens[0, n : 2 * n].mean(0))
    assert time_s[0, [0, n, -2, -1]].tolist() == [-60.0, -120.0, -60.0, -120.0]


def test_cached_features_give_the_tokens_of_raw_photos():
    encoder = build().eval()
    raw = stream([[True, False], [True, True]])
    assert_close(encoder(encoder.features(raw)), encoder(raw))


def test_a_cached_row_of_padding_may_be_of_any_length():
    encoder = build().eval()
    blank = Stream(
        torch.zeros(2, 1, encoder.backbone.num_features), torch.zeros(2, 1, dtype=torch.bool), torch.zeros(2, 1)
    )
    assert not encoder(blank).valid.any()


def test_only_valid_photos_reach_the_backbone():
    encoder = build()
    seen = []
    encoder.backbone.conv1.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    encoder(stream([[True, False], [False, False]]))
    assert seen == [1]


def test_batchnorm_keeps_its_statistics_while_the_rest_trains():
    encoder = build(is_frozen=False).train()
    assert encoder.backbone.layer1.training
    assert not encoder.backbone.bn1.training
    alone = encoder(stream([[True]])).tokens
    beside = encoder(stream([[True], [True]])).tokens[:1]
    assert_close(alone[:, :4], beside[:, :4], atol=1e-5, rtol=0)
    alone.sum().backward()
    assert all(p.grad is not None for p in encoder.parameters())


def test_a_frozen_backbone_does_not_train_and_a_free_one_has_no_features_to_cache():
    assert not any(p.requires_grad for p in build().backbone.parameters())
    assert not build().train().backbone.training
    with pytest.raises(TypeError, match="no frozen backbone"):
        build(is_frozen=False).features(stream([[True]]))


def test_depthwise_convolutions_that_train_stay_out_of_bf16():
    kinds = {}
    for is_frozen in (False, True):
        encoder = build(name="test_efficientnet", is_frozen=is_frozen)
        convs = [m for m in encoder.backbone.modules() if isinstance(m, torch.nn.Conv2d)]
        for conv in convs:
            conv.register_forward_hook(lambda c, _, out, f=is_frozen: kinds.update({(f, c.groups > 1, out.dtype): 1}))
        with torch.autocast("cpu", torch.bfloat16):
            encoder(stream([[True]]))
    half, whole = torch.bfloat16, torch.float32
    assert set(kinds) == {(False, True, whole), (False, False, half), (True, True, half), (True, False, half)}


def test_a_large_backbone_is_built_on_the_meta_device():
    with torch.device("meta"):
        encoder = build(name="vit_base_patch16_224", image_size=224, is_frozen=False)
    assert encoder.positions == 196


def test_photos_of_another_size_are_named():
    with pytest.raises(ValueError, match=r"has image_size=\(32, 32\), its encoder expects image_size=\(64, 64\)"):
        build()(stream([[True]], size=32))
