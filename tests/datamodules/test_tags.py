"""Spans of characters become one class per word piece of the very stream that the model reads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules.base import HealthDataModule
from datamodules.modality import Modality
from datamodules.records import HealthRecord, Note, Span
from datamodules.tags import PieceTags, bio, spans_of
from datamodules.transforms.text import PrepareText
from fusion.targets import Target

CLASSES = bio(["VEG", "DRINK"])
PREPARE = PrepareText(weights="minilm", max_tokens=12)


def align(text: str, *spans: Span) -> list[str]:
    """Every piece and its class, in words."""
    ids = PieceTags(classes=CLASSES, prepare=PREPARE)(Note(key=text, text=text), spans)
    pieces = PREPARE.tokenizer.convert_ids_to_tokens(PREPARE(Note(key=text, text=text)).values)
    return [f"{piece} {CLASSES[i] if i >= 0 else '-'}" for piece, i in zip(pieces, ids, strict=True)]


def test_the_first_piece_begins_and_the_others_continue():
    text = "Had courgettes and orange juice."
    assert align(text, Span(4, 14, "VEG"), Span(19, 31, "DRINK")) == [
        "[CLS] -", "had O", "co B-VEG", "##urg I-VEG", "##ettes I-VEG", "and O", "orange B-DRINK", "juice I-DRINK",
        ". O", "[SEP] -",
    ]  # fmt: skip


def test_neighbours_of_one_label_stay_two():
    assert align("tea coffee", Span(0, 3, "DRINK"), Span(4, 10, "DRINK"))[1:-1] == ["tea B-DRINK", "coffee B-DRINK"]


def test_cut_text_keeps_the_tags_of_what_is_left():
    text = "calm " * 9 + "tea coffee water"
    tagged = align(text, *(Span(text.index(w), text.index(w) + len(w), "DRINK") for w in ("tea", "coffee", "water")))
    assert tagged == ["[CLS] -", *["calm O"] * 9, "tea B-DRINK", "[SEP] -"]


def test_text_without_food_is_outside_and_not_unlabelled():
    assert align("calm day") == ["[CLS] -", "calm O", "day O", "[SEP] -"]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    words=st.lists(st.sampled_from(["tea", "courgettes", "éclair", "½", "\u200b", "🍎", "--"]), max_size=7),
    data=st.data(),
)
def test_every_piece_is_tagged_by_the_characters_it_stands_for(words, data):
    text = "x " + " ".join(words)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    note = Note(key=text, text=text)
    ids = PieceTags(classes=CLASSES, prepare=PREPARE)(note, [Span(start, end, "VEG")])
    assert len(ids) == len(PREPARE(note).values)
    for index, place in zip(ids, PREPARE.offsets(note), strict=True):
        inside = place is not None and place[0] < end and start < place[1]
        assert (index > 0) == inside and (index == -100) == (place is None)


def test_spans_come_back_from_their_tags():
    text = "Had courgettes, tea coffee and orange juice"
    spans = [Span(4, 14, "VEG"), Span(16, 19, "DRINK"), Span(20, 26, "DRINK"), Span(31, 43, "DRINK")]
    note, prepare = Note(key="n", text=text), PrepareText(weights="minilm", max_tokens=32)
    ids = PieceTags(classes=CLASSES, prepare=prepare)(note, spans)
    tags = [CLASSES[max(i, 0)] for i in ids] + ["O"] * 3  # padded
    assert spans_of(tags, prepare.offsets(note)) == spans


def test_a_piece_that_continues_nothing_begins_an_entity():
    places = [None, (0, 3), (4, 6), (7, 9), (10, 12), None]
    tags = ["B-VEG", "I-VEG", "I-VEG", "I-DRINK", "O", "I-VEG"]
    assert spans_of(tags, places) == [Span(0, 6, "VEG"), Span(7, 9, "DRINK")]


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([Span(0, 3, "SOUP")], r"note 'n': span label 'SOUP' has no B- and I- among \['O', 'B-VEG'"),
        ([Span(0, 3, "VEG"), Span(2, 6, "VEG")], r"span \(2, 6, 'VEG'\) overlaps the one before"),
        ([Span(3, 3, "VEG")], r"span \(3, 3, 'VEG'\) overlaps the one before, is empty"),
        ([Span(4, 99, "VEG")], r"span \(4, 99, 'VEG'\) .*leaves the 10 characters"),
    ],
)
def test_a_span_that_cannot_be_is_named(spans, message):
    with pytest.raises(ValueError, match=message):
        PieceTags(classes=CLASSES, prepare=PREPARE)(Note(key="n", text="tea coffee"), spans)


def test_tagging_heads_are_told_by_their_classes():
    assert CLASSES == ("O", "B-VEG", "I-VEG", "B-DRINK", "I-DRINK")


class Notes:
    """Three records a split: tagged, never tagged, without text."""

    name, fingerprint = "notes", "1"
    targets = {"diet_tags": Target("spans", CLASSES)}  # noqa: RUF012

    def records(self, split: str) -> list[HealthRecord]:
        tea = [Span(4, 7, "DRINK")]
        kinds = [("Hot tea", {"diet_tags": tea}), ("Cold tea and more of it", {}), (None, {"diet_tags": []})]
        return [
            HealthRecord(
                record_id=f"{split}{i}", person_id=f"{split}{i}", targets=targets,
                parts={"text": Note(key=f"{split}{i}", text=text)} if text else {},
            )
            for i, (text, targets) in enumerate(kinds)
        ]  # fmt: skip

    def ceiling(self) -> dict:
        return {}


def build(tmp_path, **changes) -> HealthDataModule:
    settings = {
        "cohort": Notes(),
        "targets": {"diet_tags": {"kind": "spans", "names": list(CLASSES)}},
        "modalities": {"text": Modality(source="text", group="text", prepare=PREPARE, augment=None)},
        "answered": ["diet_tags"],
    }
    rest = dict(batch_size=3, eval_batch_size=3, num_workers=0, modality_dropout=0.0, is_testing_streams=False, seed=0)
    return HealthDataModule(**settings | changes, **rest, cache_dir=str(tmp_path))


def test_targets_are_as_long_as_the_stream_and_unlabelled_where_nothing_is_known(tmp_path):
    data = build(tmp_path)
    data.setup()
    (batch,) = data.val_dataloader()
    assert batch.streams["text"].valid.sum(1).tolist() == [4, 8, 0]
    assert batch.targets["diet_tags"].tolist() == [[-100, 0, 3, -100], [-100] * 4, [-100] * 4]


def test_a_hidden_text_has_no_tags(tmp_path):
    data = build(tmp_path)
    data.setup()
    rows = {row.name: loader for row, loader in zip(data.test_rows(), data.test_dataloader(), strict=True)}
    (shown,), (hidden,) = rows["all"], rows["prior"]
    assert (shown.targets["diet_tags"] != -100).any()
    assert (hidden.targets["diet_tags"] == -100).all()


def test_cached_features_keep_one_step_a_word_piece(tmp_path):
    data = build(tmp_path)
    data.setup()
    (raw,) = data.val_dataloader()
    data.cache_features("text", "x", lambda stream: stream._replace(values=stream.values[..., None] % 1000.0))
    (batch,) = data.val_dataloader()
    assert batch.streams["text"].valid.equal(raw.streams["text"].valid)
    assert batch.streams["text"].values[..., 0].equal(raw.streams["text"].values % 1000.0)
    assert batch.targets["diet_tags"].equal(raw.targets["diet_tags"])


def test_a_tagging_head_without_text_is_named(tmp_path):
    photo = Modality(source="photo", group="photo", prepare=PREPARE, augment=None)
    with pytest.raises(ValueError, match="target 'diet_tags' tags text, but no modality reads it; add text"):
        build(tmp_path, modalities={"photo": photo})
