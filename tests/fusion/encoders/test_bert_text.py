"""bert_text against Hugging Face's own BertModel."""

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoTokenizer, BertModel

from fusion.batch import Stream
from fusion.encoders.bert_text import BertTextEncoder
from fusion.weights import find_weights

TINY = dict(
    vocab_size=30,
    hidden_size=16,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=16,
)


def build(**changes) -> BertTextEncoder:
    torch.manual_seed(0)
    arguments = dict(dim=8, name="tiny", weights="random", is_frozen=True, max_tokens=16, config=TINY)
    return BertTextEncoder(**arguments | changes)


def stream(ids: torch.Tensor, lengths: list[int]) -> Stream:
    valid = torch.arange(ids.shape[1]) < torch.tensor(lengths)[:, None]
    return Stream(ids, valid, torch.full(ids.shape, -60.0))


@pytest.fixture(scope="module")
def minilm() -> BertTextEncoder:
    return BertTextEncoder(dim=8, name="minilm", weights="pretrained", is_frozen=True, max_tokens=32)


def test_packaged_weights_give_the_hidden_states_of_the_reference(minilm):
    path = find_weights("minilm")
    reference = BertModel.from_pretrained(path).eval()
    tokenizer = AutoTokenizer.from_pretrained(path)
    notes = ["Slept badly, work was too much.", "Fine."]
    padded = tokenizer(notes, padding=True, return_tensors="pt")
    ours = minilm.train().features(stream(padded["input_ids"], padded["attention_mask"].sum(1).tolist()))
    for row, note in enumerate(notes):
        expected = reference(**tokenizer(note, return_tensors="pt")).last_hidden_state[0]
        assert_close(ours.values[row, : len(expected)], expected, atol=1e-5, rtol=0)


def test_rows_of_like_length_run_together_and_give_what_all_give_at_once():
    ids = torch.randint(30, (7, 12))
    raw = stream(ids, [3, 12, 1, 7, 7, 2, 5])
    whole, grouped = build(is_frozen=False).eval(), build(is_frozen=False, rows_at_once=2).eval()
    widths = []
    grouped.backbone.register_forward_hook(lambda *_: widths.append(_[2].last_hidden_state.shape[:2]))
    assert_close(grouped(raw), whole(raw), atol=1e-5, rtol=0)
    assert widths == [(2, 2), (2, 5), (2, 7), (1, 12)]


def test_cached_features_give_the_tokens_of_raw_ids():
    encoder = build().eval()
    raw = stream(torch.randint(30, (2, 7)), [7, 4])
    assert_close(encoder(encoder.features(raw)), encoder(raw))
    half = encoder.features(raw)
    assert encoder(half._replace(values=half.values.half())).tokens.dtype == torch.float32  # caches hold float16


def test_fewer_layers_give_the_hidden_states_between_and_are_another_cache():
    whole, lower = build().eval(), build(num_layers=2).eval()
    raw = stream(torch.randint(30, (2, 7)), [7, 4])
    hidden = whole.backbone(raw.values, raw.valid.long(), output_hidden_states=True).hidden_states
    assert_close(lower.features(raw).values[raw.valid], hidden[2][raw.valid], atol=1e-5, rtol=0)
    assert len(lower.backbone.encoder.layer) == 2
    assert lower.backbone_identity != whole.backbone_identity


def test_the_summary_token_is_the_mean_and_has_a_time():
    tokens, valid, time_s = build()(stream(torch.randint(30, (2, 5)), [5, 2]))
    assert tokens.shape == (2, 6, 8)
    assert_close(tokens[1, -1], tokens[1, :2].mean(0))
    assert valid[:, -1].all()
    assert time_s[:, -1].tolist() == [-60.0, -60.0]


def test_frozen_layers_neither_train_nor_drop_out():
    encoder = build().train()
    raw = stream(torch.randint(30, (1, 5)), [5])
    assert_close(encoder(raw), encoder(raw))
    assert not any(p.requires_grad for p in encoder.backbone.parameters())


def test_only_the_top_layers_train_when_asked():
    encoder = build(num_trainable_layers=1).train()
    encoder(stream(torch.randint(30, (1, 5)), [5])).tokens.sum().backward()
    trained = {name for name, p in encoder.backbone.named_parameters() if p.grad is not None}
    assert trained
    assert all(name.startswith("encoder.layer.2.") for name in trained)
    assert encoder.backbone.encoder.layer[2].training
    assert not encoder.backbone.encoder.layer[1].training
    assert not encoder.is_cacheable
    with pytest.raises(TypeError, match="no frozen backbone"):
        encoder.features(stream(torch.randint(30, (1, 5)), [5]))


def test_a_large_bert_is_built_on_the_meta_device():
    config = TINY | dict(vocab_size=30522, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16)
    with torch.device("meta"):
        encoder = build(config=config | {"intermediate_size": 4096}, is_frozen=False)
    assert sum(p.numel() for p in encoder.parameters()) > 300e6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": None}, "weights=random for 'tiny' needs config"),
        ({"max_tokens": 17}, "max_tokens=17, but 'tiny' reads at most 16"),
        ({"num_layers": 4}, "num_layers=4, but 'tiny' has 3"),
        ({"is_frozen": False, "num_trainable_layers": 1}, "num_trainable_layers=1 needs is_frozen=true"),
        ({"name": "/no/such/bert", "weights": "pretrained"}, r"'/no/such/bert' not found.*weights=random"),
        ({"name": "minilm", "weights": "pretrained"}, "weights 'minilm' have vocab_size=30522, config says 30"),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_a_note_longer_than_the_model_reads_is_named():
    with pytest.raises(ValueError, match="has max_tokens=17, its encoder expects max_tokens=16 or fewer"):
        build()(stream(torch.zeros(1, 17, dtype=torch.long), [17]))
