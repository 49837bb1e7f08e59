"""What people give that is wrong gets a named error, never a silent zero."""

import numpy as np
import pytest
from hydra.errors import ConfigCompositionException, InstantiationException

from datamodules.own.files import read_note, read_signal
from datamodules.records import Signal
from datamodules.sets.dreaddit import read_dreaddit
from datamodules.sets.emodb import read_emodb
from datamodules.sets.food101_10 import read_food101_10
from datamodules.sets.snoring_khan import read_snoring_khan
from datamodules.sets.stress_predict import read_stress_predict
from datamodules.transforms.signal import PrepareSignal
from fusion.training import run as train
from fusion.training.compose import compose_config


@pytest.fixture
def csv(tmp_path):
    """Write lines to a csv; gives its path as text."""

    def write(*lines: str) -> str:
        path = tmp_path / "signal.csv"
        path.write_text("\n".join(lines))
        return str(path)

    return write


def read(file: str, rate_hz: float | None = None, **settings):
    return read_signal(file, rate_hz=rate_hz, unit="uS", **settings)


def test_a_csv_without_header_ends_now(csv):
    signal = read(csv("1,2", "3,4"), rate_hz=4)
    np.testing.assert_array_equal(signal.values, [[1, 2], [3, 4]])
    assert (signal.rate_hz, signal.start_s, signal.unit) == (4, -0.5, "uS")


def test_the_time_column_gives_the_rate_and_is_no_channel(csv):
    signal = read(csv("x,time_s,y", "1,10,2", "3,10.25,4", "5,10.5,6"))
    np.testing.assert_array_equal(signal.values, [[1, 2], [3, 4], [5, 6]])
    assert signal.rate_hz == 4


def test_empty_cells_and_nan_are_not_measured(csv):
    values = read(csv("x,y", "1,", "nan,4", " NA ,null"), rate_hz=1).values
    np.testing.assert_array_equal(values, [[1, np.nan], [np.nan, 4], [np.nan, np.nan]])


def test_rest_windows_become_the_reference(csv, tmp_path):
    (tmp_path / "rest.csv").write_text("7\n8\n")
    signal = read(csv("1", "2", "3"), rate_hz=4, rest=[str(tmp_path / "rest.csv")])
    np.testing.assert_array_equal(signal.reference[0], [[7], [8]])


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "excel.csv").write_text("time_s,x\n0,1\n1,2\n", encoding="utf-8-sig")
    assert read(str(tmp_path / "excel.csv")).rate_hz == 1


@pytest.mark.parametrize(
    ("lines", "rate_hz", "message"),
    [
        ([], 4, r"'signal.csv' is empty"),
        (["", "", ""], 4, r"is empty"),
        (["x,y"], 4, r"has a header and no samples"),
        (["x", "1", "two"], 4, r"line 3: 'two' is not a number"),
        (["1", "2", "3,5"], 4, r"line 3: 2 columns, expected 1"),
        (["x,y", "1", "2"], 4, r"header has 2 columns, line 2 has 1"),
        (["1", "", "3"], 4, r"line 2: blank"),
        (["1;2", "3;4"], 4, r"line 2: '3;4' is not a number"),
        (["1", "2"], None, r"has no rate; say FILE:RATE_HZ or give it a column time_s"),
        (["1", "2"], -4, r"rate is -4 Hz, expected > 0"),
        (["1", "2"], float("nan"), r"rate is nan Hz, expected > 0"),
        (["time_s,x", "0,1", "1,2"], 64, r"runs at 1 Hz by its time_s, but 64 Hz was said"),
        (["time_s,x", "0,1", "1,2", "1,3"], None, r"line 4: time_s 1 is not after the line before"),
        (["time_s,x", "0,1", "1,2", "2,3", "9,4"], None, r"line 5: time_s 9 is not 1 s after the line before"),
        (["time_s,x", "0,1", ",2", "2,3"], None, r"line 3: time_s nan is not a time"),
        (["time_s,x", "0,1"], None, r"one sample gives no rate"),
    ],
)
def test_a_bad_csv_is_named_with_its_line(csv, lines, rate_hz, message):
    with pytest.raises(ValueError, match=message):
        read(csv(*lines), rate_hz=rate_hz)


def test_a_rest_recording_of_another_rate_is_refused(csv, tmp_path):
    (tmp_path / "rest.csv").write_text("time_s,x\n0,1\n1,2\n")
    with pytest.raises(ValueError, match=r"runs at 1 Hz by its time_s, but 4 Hz was said"):
        read(csv("1", "2"), rate_hz=4, rest=[str(tmp_path / "rest.csv")])


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\xff", b"\xff\xfe1\x00"])
def test_a_binary_file_as_csv_is_named(tmp_path, content):
    (tmp_path / "photo.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"'photo.csv' is not a text csv"):
        read(str(tmp_path / "photo.csv"), rate_hz=4)


def test_a_missing_file_is_named():
    with pytest.raises(ValueError, match=r"signal: no file at 'no/such.csv'"):
        read("no/such.csv", rate_hz=4)


def test_a_text_file_of_bytes_is_named(tmp_path):
    (tmp_path / "diary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"'diary.txt' is not UTF-8"):
        read_note(f"@{tmp_path / 'diary.txt'}")


def prepare_eda(num_samples: int, rate_hz: float):
    prepare = PrepareSignal(
        rate_hz=4.0, channels=["phasic"], unit="uS", derive="eda_tonic_phasic", baseline="none", is_scaled=False
    )
    values = np.ones((num_samples, 1))
    return prepare(Signal(key="wrist", values=values, rate_hz=rate_hz, unit="uS", start_s=-1.0))


def test_a_rate_far_below_the_models_is_refused_not_interpolated():
    assert prepare_eda(100, 1.0).valid.all()
    with pytest.raises(ValueError, match=r"signal 'wrist' has rate 0.9 Hz, expected at least 1 Hz for steps at 4 Hz"):
        prepare_eda(100, 0.9)


def test_a_recording_too_short_to_filter_is_named():
    with pytest.raises(ValueError, match=r"signal 'wrist': 3 samples at 4 Hz are too few to derive 'eda_tonic_phasic'"):
        prepare_eda(3, 4.0)


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        (read_stress_predict, "stress_predict"),
        (read_emodb, "emodb"),
        (read_food101_10, "food101_10"),
        (read_dreaddit, "dreaddit"),
        (read_snoring_khan, "snoring_khan"),
    ],
)
def test_a_missing_data_directory_names_the_set_and_the_key(reader, name, tmp_path):
    with pytest.raises(ValueError, match=rf"{name}.*{tmp_path}.*set paths.data_dir"):
        reader(tmp_path)


def composed(*overrides: str):
    return compose_config(["experiment=fusion_tiny", "paths.run_dir=unused", *overrides])


@pytest.mark.parametrize("override", ["experimnt=fusion_base", "sed=1", "trainer.max_epoch=1"])
def test_a_misspelt_key_on_the_command_line_is_refused(override):
    with pytest.raises(ConfigCompositionException, match=f"Could not override '{override.split('=')[0]}'"):
        composed(override)


@pytest.mark.parametrize("key", ["model.fusion.num_querys", "data.modality_droput", "optim.learning_rate"])
def test_a_misspelt_key_of_a_yaml_is_refused_when_built(key):
    with pytest.raises(InstantiationException, match=key.split(".")[-1]):
        train.build(composed(f"+{key}=1"))
