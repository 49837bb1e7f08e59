"""A note becomes the word pieces of the encoder's own vocabulary."""

import pytest

from datamodules.records import Note
from datamodules.transforms.text import PrepareText


@pytest.fixture(scope="module")
def prepare():
    return PrepareText(weights="minilm", max_tokens=8)


def test_word_pieces_are_those_of_bert_and_carry_the_time(prepare):
    values, valid, time_s = prepare(Note(key="n", text="I feel calm.", time_s=-60.0))
    assert prepare.tokenizer.convert_ids_to_tokens(values) == ["[CLS]", "i", "feel", "calm", ".", "[SEP]"]
    assert values.tolist() == [101, 1045, 2514, 5475, 1012, 102]  # bert-base-uncased
    assert valid.all() and (time_s == -60).all()


def test_a_long_note_keeps_its_beginning_and_the_closing_piece(prepare):
    values, valid, _ = prepare(Note(key="n", text="calm " * 50))
    assert values.tolist() == [101] + [5475] * 6 + [102]
    assert valid.all()


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_an_empty_note_is_named(prepare, text):
    with pytest.raises(ValueError, match=r"note 'diary' is empty; leave the text out"):
        prepare(Note(key="diary", text=text))


def test_absent_text_is_one_invalid_step(prepare):
    values, valid, time_s = prepare.absent()
    assert len(values) == len(valid) == len(time_s) == 1
    assert not valid.any()


def test_text_has_no_statistics(prepare):
    assert prepare.state() == {}
    with pytest.raises(ValueError, match=r"PrepareText has no statistics, got \['mean'\]"):
        prepare.load_state({"mean": [0.0]})
