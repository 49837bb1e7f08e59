"""The check finds every kind of bad input, with file and line, and lets good records pass."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from datamodules.inspect.check import check, main
from datamodules.own.problems import Problems
from tests.datamodules.own_records import CLASSES, write_json, write_records

EDA = {"eda": {"unit": "uS", "rate_hz": 4}}


@pytest.fixture
def own(tmp_path):
    """Five good people and one record of your making; gives its folder and the root."""
    root = write_records(tmp_path / "own", num_people=10)
    folder = root / "p00_0"

    def said(**said):
        return write_json(folder, **{"person": "p00", "labels": {"health_state": "calm"}, **said})

    return root, folder, said


def errors(root, labels=CLASSES):
    """What the check says is wrong, one line each."""
    problems = Problems(root)
    check(root, labels, problems)
    return [problem.said(root) for problem in problems.errors]


def test_good_records_pass_with_a_report(own, capsys):
    root, _, _ = own
    assert main([str(root)]) == 0
    shown = capsys.readouterr().out
    for words in ("eda", "50%", "60", "uS", "health_state", "stressed", "20 records usable, 0 errors"):
        assert words in shown, words


def test_a_check_starts_without_what_is_slow_to_import(own):
    root, _, _ = own
    code = (
        "import sys; from datamodules.inspect.check import main; "
        "sys.exit(main(sys.argv[1:]) or sorted({'torch', 'pytorch_lightning', 'transformers'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True)
    assert done.stderr.strip() == "[]", done.stderr


def cut(path, share):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def test_a_truncated_photo_is_named(own):
    root, folder, _ = own
    cut(folder / "lunch.jpg", 0.5)
    (said,) = errors(root)
    assert said.startswith("p00_0/lunch.jpg: cannot be read as jpg or png: image file is truncated")


@pytest.mark.parametrize(("suffix", "why"), [("flac", "cannot be read"), ("wav", "cut short"), ("mp3", "cut short")])
def test_a_truncated_sound_is_named(own, suffix, why):
    root, folder, _ = own
    samples, rate_hz = soundfile.read(folder / "voice.flac")
    (folder / "voice.flac").unlink()
    soundfile.write(folder / f"voice.{suffix}", samples, rate_hz)
    assert errors(root) == []
    cut(folder / f"voice.{suffix}", 0.6)
    (said,) = errors(root)
    assert said.startswith(f"p00_0/voice.{suffix}: ") and why in said


def test_a_silent_sound_is_named(own):
    root, folder, _ = own
    soundfile.write(folder / "voice.flac", np.zeros(1000), 16000)
    assert errors(root) == ["p00_0/voice.flac: is silent throughout (every sample is 0); leave it out of the record"]


def test_every_text_among_numbers_is_named_with_its_line(own):
    root, folder, _ = own
    (folder / "eda.csv").write_text("eda\n1.0\nartefact\n1.2\n1,3\n".replace("1,3", '"1,3"'))
    assert errors(root) == [
        "p00_0/eda.csv, line 3: 'artefact' is not a number; leave it empty if not measured",
        "p00_0/eda.csv, line 5: '1,3' is not a number; leave it empty if not measured",
    ]


def test_bad_cells_beyond_the_first_few_are_counted(own):
    root, folder, _ = own
    (folder / "eda.csv").write_text("eda\n" + "x\n" * 20)
    said = errors(root)
    assert len(said) == 6 and said[-1] == "p00_0/eda.csv: 15 more cells of column 'eda' are not numbers"


def test_timestamps_out_of_order_are_named_with_their_line(own):
    root, folder, said = own
    (folder / "eda.csv").write_text("time_s,eda\n0,1\n0.25,1\n0.75,1\n0.5,1\n1,1\n")
    (message,) = errors(root)
    assert message.startswith("p00_0/eda.csv, line 5: time runs backward, 0.5 s after 0.75 s")
    said(signals={"eda": {"is_sorting": True}})
    assert errors(root) == []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("time,eda\n2024-05-01,1\nnoon,2\n", "line 3: time 'noon' is not a time"),
        ("time_s,eda\n0,1\n0,2\n", "1 instant gives no rate"),
        ("time_s,eda\n0,1\n1,2\n2,3\n", "rate_hz 4 was declared, but its times run at 1 Hz"),
        ("eda\n", "has no samples"),
        ("", "has no samples"),
        ("a,b\n1,2\n3\n", "line 3: 1 columns, expected 2"),
        ("a\n1\n\n2\n", "line 3: blank; write nan where nothing was measured"),
        ("a,a\n1,2\n", "line 1: two columns have one name"),
        ("time_s\n1\n2\n", "no channel beside 'time_s'"),
    ],
)
def test_a_bad_table_is_named(own, lines, message):
    root, folder, _ = own
    (folder / "eda.csv").write_text(lines)
    (said,) = errors(root)
    assert said.startswith("p00_0/eda.csv") and message in said


def test_a_binary_file_as_csv_or_parquet_is_named(own):
    root, folder, _ = own
    (folder / "eda.csv").write_bytes(b"\x89PNG\xff")
    (folder / "acc.parquet").write_bytes(b"PAR1nonsense")
    said = errors(root, {})
    assert "p00_0/acc.parquet: signal 'acc' has no unit; declare it in record.json or folder.json" in said
    assert any(line.startswith("p00_0/eda.csv: is not a text csv") for line in said)


def test_a_broken_parquet_is_named(own):
    root, folder, said = own
    (folder / "acc.parquet").write_bytes(b"PAR1nonsense")
    said(signals={"acc": {"unit": "g", "rate_hz": 32}})
    assert errors(root)[0].startswith("p00_0/acc.parquet: is not a parquet table")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"signals": {"eda": {"unit": "grams_force"}}}, "eda.csv: unit 'grams_force' is not known"),
        ({"signals": {"eda": {"columns": ["hr"]}}}, "eda.csv: no column 'hr', it has ['eda']"),
        ({"signals": {"eda": {"rate": 4}}}, "record.json, line 8: signals.eda.rate: Extra inputs are not permitted"),
        ({"signals": {"eda": {"rate_hz": -4}}}, "record.json, line 8: signals.eda.rate_hz: Input should be greater"),
        ({"signals": {"ppg": {"unit": "a.u."}}}, "record.json: signal 'ppg' names no file"),
        ({"labels": {"health_state": "tired"}}, "label 'tired' of 'health_state' is unknown, expected one of ['calm'"),
        ({"labels": {"mood": "calm"}}, "label 'mood' is unknown, expected some of ['health_state']"),
        ({"photos": [{"file": "dinner.jpg"}]}, "record.json: names 'dinner.jpg', but there is no such file"),
        ({"split": "dev"}, "record.json, line 6: split: Input should be 'train', 'val' or 'test', got 'dev'"),
        ({"person": ""}, "record.json, line 2: person: String should have at least 1 character"),
        ({"predicted_at": "noon"}, "record.json, line 6: predicted_at: Value error, 'noon' is neither seconds nor"),
        ({"note": "two texts"}, "p00_0: has 2 texts, expected one a record"),
        ({"split": "train"}, "says no split, but other records do"),
        (
            {"predicted_at": 0, "text": {"file": "diary.txt", "at": 5}},
            "text reaches 5 s beyond predicted_at; the future may not be read",
        ),
        (
            {"predicted_at": "2024-05-01", "text": {"file": "diary.txt", "at": 5}},
            "text begins 19844 days before the moment of prediction; times of one record must share one zero",
        ),
    ],
)
def test_a_wrong_word_in_a_record_file_is_named(own, said, message):
    root, _, write = own
    write(**said)
    assert any(message in line for line in errors(root)), errors(root)


def test_json_that_is_none_is_named_with_its_line(own):
    root, folder, _ = own
    (folder / "record.json").write_text('{\n"person": "p00",\n"labels": {"health_state" "calm"}\n}')
    assert errors(root) == ["p00_0/record.json, line 3: not JSON: Expecting ':' delimiter"]


def test_a_record_with_nothing_in_it_is_named(own):
    root, _, _ = own
    write_json(root / "empty", person="z")
    assert errors(root) == ["empty/record.json: has nothing in it: no signal, photo, sound or text"]


def test_an_empty_diary_is_named(own):
    root, folder, _ = own
    (folder / "diary.txt").write_text(" \n")
    assert errors(root) == ["p00_0/diary.txt: text is empty; leave it out of the record"]


def test_a_folder_without_record_file_and_a_root_without_records_are_named(own, tmp_path):
    root, folder, _ = own
    (folder / "record.json").unlink()
    assert errors(root) == ['p00_0: has no record.json; write at least {"person": ...}']
    (tmp_path / "void").mkdir()
    assert "has no records: expected directories with a record.json" in errors(tmp_path / "void")[0]
    assert "there is nothing" in errors(tmp_path / "nowhere")[0]


def test_an_unreadable_directory_is_named(own):
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root reads everything, and setpriv is not there to drop that right")
    root, folder, _ = own
    folder.chmod(0)
    try:
        assert _seen_without_rights(root).startswith("p00_0: cannot be read: [Errno 13] Permission denied")
    finally:
        folder.chmod(0o755)


def _seen_without_rights(root) -> str:
    """The first error of a check that may not read what its owner forbids."""
    code = (
        "import sys; from pathlib import Path; from tests.datamodules.inspect.test_check import errors; "
        "print(errors(Path(sys.argv[1]))[0])"
    )
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run([*drop, sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_person_in_two_splits_is_named(tmp_path):
    write_json(tmp_path / "a", person="p", split="train", note="x")
    write_json(tmp_path / "b", person="p", split="test", note="y")
    assert errors(tmp_path, {}) == ["b/record.json: person 'p' is in train and in test"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("who,note\na,x\n", "index.csv, line 1: unknown column 'who'"),
        ("note\nx\n", "index.csv, line 1: no column 'person'"),
        ("record,person,note\nr,a,x\nr,b,y\n", "index.csv, line 3: record 'r' is there twice"),
        ("person,photo\na,no.jpg\n", "index.csv, line 2: names 'no.jpg', but there is no such file"),
        (
            "person,label:health_state,note\na,tired,x\n",
            "index.csv, line 2: label 'tired' of 'health_state' is unknown",
        ),
        ("person,note\na,\n", "index.csv, line 2: has nothing in it"),
    ],
)
def test_a_bad_line_of_an_index_is_named(tmp_path, text, message):
    (tmp_path / "index.csv").write_text(text)
    problems = Problems(tmp_path)
    check(tmp_path / "index.csv", CLASSES, problems)
    assert any(message in p.said(tmp_path) for p in problems.errors), problems.errors


def test_an_index_of_another_kind_is_named(tmp_path):
    (tmp_path / "index.txt").write_text("x")
    assert "is neither a directory nor an index in csv or parquet" in errors(tmp_path / "index.txt")[0]


def test_all_problems_are_shown_and_the_exit_status_is_one(own, capsys):
    root, folder, said = own
    cut(folder / "lunch.jpg", 0.5)
    (folder / "eda.csv").write_text("eda\nx\n")
    (root / "p01_0" / "notes.docx").write_text("")
    said(labels={"health_state": "tired"})
    assert main([str(root)]) == 1
    shown = capsys.readouterr().out
    for name in ("lunch.jpg", "eda.csv, line 2", "'tired'", "notes.docx: is of no kind that is read", "3 errors"):
        assert name in shown, name


def test_labels_come_from_the_command_line_too(own, capsys):
    root, _, _ = own
    assert main([str(root), "--labels", "health_state=calm,tired"]) == 1
    assert "'stressed' of 'health_state' is unknown, expected one of ['calm', 'tired']" in capsys.readouterr().out


def test_what_makes_training_poor_is_a_warning(tmp_path):
    root = write_records(tmp_path, num_people=2)
    (root / "p00_0" / "eda.csv").write_text("time_s,eda\n0,1\n0.25,2\n0.25,4\n5,3\n5.25,1\n5.5,3\n")
    (root / "folder.json").write_text(json.dumps({"signals": EDA}))
    for name, unit in (("p00_1", "degC"), ("p01_0", "degF")):
        (root / name / "room.csv").write_text("1\n2\n")
        write_json(root / name, person=name[:3], signals={"room": {"unit": unit, "rate_hz": 1}})
    problems = Problems(root)
    check(root, {}, problems)
    said = " ".join(problem.said(root) for problem in problems.found)
    assert not problems.errors
    for words in ("1 samples share their time", "1 gaps, the longest 4.75 s", "too few to be in every", "in 2 units"):
        assert words in said, words


def test_a_unit_that_the_model_cannot_read_is_an_error_as_it_is_in_training(tmp_path, capsys):
    root = write_records(tmp_path)
    (root / "folder.json").write_text(json.dumps({"signals": {"eda": {"unit": "degC", "rate_hz": 4}}}))
    assert main([str(root)]) == 1
    said = errors(root, {})
    assert len(said) == 20 and said[0] == (
        "p00_0/eda.csv: unit 'degC' cannot become 'uS': they measure different things; fix the declared unit (signal "
        "'eda' in record.json or folder.json; data.cohort.units says that the model reads 'uS')"
    )


def test_channels_that_look_clipped_or_stuck_are_warnings_and_what_is_declared_or_counted_is_not(own):
    root, folder, said = own
    sine = 1.5 * np.sin(np.linspace(0, 20 * np.pi, 2000))
    table = np.stack([sine.clip(-1, 1), np.full(2000, 3.0), sine], axis=1)
    np.savetxt(folder / "eda.csv", table, delimiter=",")

    def warned(name="eda", **spec):
        said(signals={name: {"unit": "uS", "rate_hz": 4, **spec}})
        problems = Problems(root)
        check(root, CLASSES, problems)
        return [problem.said(root) for problem in problems.found]

    assert [line.partition("; ")[0] for line in warned()] == [
        "p00_0/eda.csv: 53.5% of the samples of column 0 look clipped at its own ends",
        "p00_0/eda.csv: 100.0% of the samples of column 1 do not move (for 300 s, or at all)",
    ]
    assert not any("look" in line for line in warned(limits=[-1, 1], flat_s=60))
    (folder / "eda.csv").rename(folder / "steps.csv")
    assert warned("steps", unit="count") == []
