"""diet_tags: every word piece is answered from its own token, its neighbours and the person."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from fusion.batch import Fused, TokenSet
from fusion.heads.tag import TagHead

TAGS = ("O", "B-VEG", "I-VEG")


@pytest.fixture
def head() -> TagHead:
    torch.manual_seed(0)
    settings = dict(target="foods", loss_weight=1.0, dim=8, modality="text", width=6, reach=1, num_heads=2, dropout=0.0)
    return TagHead(names=TAGS, **settings).eval()


def fused(valid: list[list[bool]], seed: int = 1) -> Fused:
    """Word pieces with ``valid``, then the summary; two fused tokens."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.tensor(valid)
    mask = torch.cat([mask, mask.any(1, keepdim=True)], dim=1)
    text = TokenSet(torch.randn(*mask.shape, 8, generator=generator), mask, torch.zeros(mask.shape))
    rows = len(mask)
    person = torch.randn(rows, 2, 8, generator=generator)
    return Fused(person, torch.ones(rows, 2, dtype=torch.bool), torch.zeros(rows, 2), {"text": text})


def change(read: Fused, *, piece: int | None = None) -> Fused:
    """Another word piece in place of one, or another person."""
    if piece is None:
        return read._replace(tokens=read.tokens + 1)
    tokens = read.sources["text"].tokens.clone()
    tokens[:, piece] += 1
    return read._replace(sources={"text": read.sources["text"]._replace(tokens=tokens)})


def test_there_is_one_answer_a_word_piece_and_none_for_the_summary(head):
    read = fused([[True] * 5, [True, True, False, False, False], [False] * 5])
    logits = head(read)
    assert logits.shape == (3, 5, 3)
    assert not logits[1, 2:].any() and not logits[2].any()
    assert_close(head(change(read, piece=5)), logits)
    assert head.predict(read)[2].tolist() == [0] * 5


@torch.no_grad()
def test_a_piece_hears_itself_its_neighbours_and_the_person_only(head):
    read = fused([[True] * 5])
    before = head(read)
    moved = (head(change(read, piece=2)) - before).abs().amax(dim=-1)[0]
    assert (moved[1:4] > 1e-4).all() and not moved[[0, 4]].any()
    assert ((head(change(read)) - before).abs().amax(dim=-1) > 1e-4).all()


def test_the_loss_is_the_mean_over_labelled_pieces_whatever_the_padding_of_either(head):
    logits = head(fused([[True] * 5, [True] * 5]))
    target = torch.tensor([[-100, 1, 2, -100], [-100, 0, -100, -100]])
    expected = F.cross_entropy(logits[[0, 0, 1], [1, 2, 1]], torch.tensor([1, 2, 0]))
    assert_close(head.loss(logits, target), expected)
    assert_close(head.loss(logits, F.pad(target, (0, 9), value=-100)), expected)


def test_without_labels_the_loss_is_zero_and_attached(head):
    loss = head.loss(head(fused([[True] * 3])), torch.full((1, 1), -100))
    loss.backward()
    assert loss.item() == 0
    assert all(not parameter.grad.any() for parameter in head.parameters())


def test_it_learns_which_pieces_are_food(head):
    read = fused([[True] * 6] * 8)
    target = (read.sources["text"].tokens[:, :-1, 0] > 0).long()
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        head.loss(head(read), target).backward()
        optimizer.step()
    assert (head.predict(read) == target).all()


def test_what_does_not_fit_is_named(head):
    logits = head(fused([[True] * 3]))
    with pytest.raises(ValueError, match="foods labels 5 word pieces, the 'text' stream has 3; tags and text must"):
        head.loss(logits, torch.tensor([[0, 0, 0, 0, 1, -100]]))
    with pytest.raises(ValueError, match=r"tags modality 'text', the model has \['ppg'\]; add it to modality"):
        head(fused([[True]])._replace(sources={"ppg": None}))
