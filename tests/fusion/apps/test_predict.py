"""The command line reads ordinary files, says what it read, and answers bad ones in one line."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from PIL import Image

from datamodules.modality import Modality
from datamodules.transforms.signal import PrepareSignal
from fusion.apps.loaded import Prediction
from fusion.apps.predict import command_line, main, read_record, show
from fusion.pipeline import Answer
from fusion.plan import Facts, Finding, guideline, to_text
from fusion.plan.rules.guidelines import STATES
from fusion.targets import Target


@pytest.fixture
def files(tmp_path):
    """One good file of every kind; gives the folder."""
    pulse = np.sin(2 * np.pi * 1.2 * np.arange(64 * 40) / 64)
    np.savetxt(tmp_path / "pulse.csv", pulse, header="bvp", comments="")
    Image.new("RGB", (90, 70), "brown").save(tmp_path / "lunch.jpg")
    soundfile.write(tmp_path / "voice.wav", 0.1 * np.random.default_rng(0).normal(size=16_000), 16_000)
    (tmp_path / "diary.txt").write_text("A calm week. I want to sleep better.")
    return tmp_path


@pytest.fixture
def predict(exported, capsys):
    """Run the command line; gives (status, out, err)."""

    def run(*arguments):
        status = main([f"model={exported}", *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def test_all_modalities_from_files(predict, files):
    status, out, err = predict(
        "--text", f"@{files / 'diary.txt'}", "--signal", f"ppg={files / 'pulse.csv'}:64", "--photo",
        files / "lunch.jpg", files / "lunch.jpg", "--audio", files / "voice.wav",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "read: text, ppg, heart_rate, photo, audio" in out.replace("\n", " ")
    assert "poor_fuelling" in out
    assert out.rstrip().endswith("Not medical advice.")


def test_nothing_at_all_is_the_prior_and_says_so(predict):
    status, out, _ = predict()
    assert status == 0
    assert "read: nothing" in out and "the prior" in out


def test_states_are_sorted_and_sum_to_one(predict, files):
    _, out, _ = predict("--photo", files / "lunch.jpg")
    states = out.split("words")[0]
    numbers = [float(line.split("│")[2]) for line in states.splitlines() if line.startswith("│")]
    assert len(numbers) == 6
    assert numbers == sorted(numbers, reverse=True)
    assert sum(numbers) == pytest.approx(1, abs=0.004)


def said(answers: dict[str, Answer] | None = None, *, unit: str = "", tagged: dict | None = None) -> None:
    """Show a prediction that says nothing but this."""
    answers = answers or {}
    targets = {answer.target: Target(answer.kind, tuple(answer.values), unit) for answer in answers.values()}
    show(Prediction("you", ("text",), answers, tagged or {}, ()), targets)


def test_a_plan_is_shown_for_people(capsys):
    findings = (Finding(group="signals", finding="raised_arousal", value=92, unit="bpm"),)
    plan = guideline(Facts(state="strained", goal="sleep_better", findings=findings))
    states = Answer("classes", "state", values=dict.fromkeys(STATES, 0.0) | {"strained": 1.0})
    said({"state": states, "plan": Answer("plan", "plan", plan_text=to_text(plan), plan=plan)})
    out = capsys.readouterr().out
    assert "raised arousal (90 bpm)" in out  # rounded to 5 by the guideline
    assert "stress: Goyal et al., JAMA Intern Med 2014 (strained)" in out
    assert out.rstrip().endswith("Not medical advice.")


def test_every_head_is_shown_the_likeliest_answers_first(capsys):
    groceries = {f"food {i}": 0.05 for i in range(7)} | {"[Lemon]": 0.65}
    tired = Answer("ordinal", "tired", values={"rested": 0.2, "tired": 0.8})
    said({"tired": tired, "group": Answer("classes", "group", values=groceries)})
    out = capsys.readouterr().out
    assert out.index("0.800") < out.index("0.200") < out.index("[Lemon]") and "2 others" in out and "0.100" in out


def test_numbers_are_shown_with_their_unit_without_false_precision(capsys):
    values = {"weight": 152.3456, "change": -4.0, "steps": 12345.6, "ratio": 0.01}
    said({"much": Answer("numbers", "much", values=values)}, unit="g")
    lines = capsys.readouterr().out.splitlines()
    assert any("answer (g)" in line for line in lines)
    cells = [line.split("│")[1:3] for line in lines if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in cells] == [
        ["weight", "152.3"], ["change", "-4"], ["steps", "12346"], ["ratio", "0.01"],
    ]  # fmt: skip


def test_foods_found_in_the_text_are_shown(capsys):
    said(tagged={"foods": [("orange juice", "DRINK"), ("carrots", "VEG")]})
    assert "foods: orange juice (DRINK), carrots (VEG)" in capsys.readouterr().out
    said(tagged={"foods": []})
    assert "foods: nothing found in the text" in capsys.readouterr().out


def test_a_channel_that_is_nan_throughout_is_absent_with_a_warning(predict, tmp_path, caplog):
    (tmp_path / "eda.csv").write_text("nan\n" * 200)
    status, out, _ = predict("--signal", f"eda={tmp_path / 'eda.csv'}:4")
    assert status == 0
    assert "read: nothing" in out
    assert "column [0] is NaN throughout; treated as absent" in caplog.text


BAD = {
    "a photo that is no photo": (["--photo", "{notes.txt}"], "cannot be read as jpg or png"),
    "no such photo": (["--photo", "{none.jpg}"], "no file at"),
    "a photo of 200 MB": (["--photo", "{huge.jpg}"], "has 200 MB, expected at most 50 MB"),
    "text as wav": (["--audio", "{notes.txt}"], "cannot be read as wav"),
    "a sound without samples": (["--audio", "{silence.wav}"], "has no samples"),
    "an empty csv": (["--signal", "ppg={empty.csv}:64"], "'empty.csv' is empty"),
    "words in a csv": (["--signal", "ppg={words.csv}:64"], "'words.csv', line 3: 'high' is not a number"),
    "a signal without a rate": (["--signal", "ppg={short.csv}"], "has no rate"),
    "a rate of zero": (["--signal", "ppg={short.csv}:0"], "rate is 0.0 Hz, expected > 0"),
    "a rate far too low": (["--signal", "ppg={short.csv}:1"], "has rate 1 Hz, expected at least"),
    "a signal too short": (["--signal", "eda={short.csv}:4"], "3 samples at 4 Hz are too few"),
    "too many channels": (["--signal", "ppg={acc.csv}:64"], r"has shape (2, 3), expected (samples > 0, 1 channels)"),
    "too few channels": (["--signal", "acc={short.csv}:32"], r"expected (samples > 0, 3 channels)"),
    "another unit": (["--signal", "temperature={short.csv}:4:degF"], "is in 'degF', expected 'degC'"),
    "an unknown signal": (["--signal", "ppq={short.csv}:64"], "the model does not read a signal 'ppq', expected some"),
    "a rest that is not read": (["--signal", "ppg={short.csv}:64", "--rest", "ppg={short.csv}"], "does not read 'ppg'"),
    "no name": (["--signal", "{short.csv}"], "expected NAME=FILE:RATE_HZ[:UNIT]"),
    "the same signal twice": (["--signal", "ppg={short.csv}:64", "ppg={short.csv}:64"], "given twice"),
    "rest without its signal": (["--rest", "ppg={short.csv}"], "which no --signal gives"),
    "empty text": (["--text", " "], "is empty"),
    "no such text": (["--text", "@{none.txt}"], "text: no file at"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(predict, tmp_path, case):
    (tmp_path / "notes.txt").write_text("not what the name says")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "words.csv").write_text("1\n2\nhigh\n")
    (tmp_path / "short.csv").write_text("1\n2\n3\n")
    (tmp_path / "acc.csv").write_text("1,2,3\n1,2,3\n")
    soundfile.write(tmp_path / "silence.wav", np.zeros(0), 16_000)
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(200_000_000)  # sparse: takes no disk
    arguments, message = BAD[case]
    for name in ("notes.txt", "none.jpg", "huge.jpg", "silence.wav", "empty.csv", "words.csv", "short.csv", "acc.csv"):
        arguments = [argument.replace(f"{{{name}}}", str(tmp_path / name)) for argument in arguments]
    status, out, err = predict(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1
    assert message in err


def test_a_missing_model_is_one_line(tmp_path, capsys):
    assert main([f"model={tmp_path}"]) == 2
    assert "expected a folder that fusion.apps.export wrote" in capsys.readouterr().err


def against_rest(*arguments):
    """The record that a model with one signal, read against rest, is given."""
    prepare = PrepareSignal(
        rate_hz=4.0, channels=["x"], unit="uS", derive="none", baseline="rest_reference", is_scaled=False
    )
    modality = Modality(source="eda", group="signals", prepare=prepare, augment=None)
    loaded = SimpleNamespace(preparation=SimpleNamespace(modalities={"m": modality}))
    return read_record(command_line().parse_args(["model", *map(str, arguments)]), loaded)


def test_rest_files_become_the_reference_in_the_models_unit(tmp_path):
    for name, numbers in {"now": "1\n2\n", "rest1": "3\n", "rest2": "4\n"}.items():
        (tmp_path / f"{name}.csv").write_text(numbers)
    rests = [f"eda={tmp_path / name}.csv" for name in ("rest1", "rest2")]
    signal = against_rest("--signal", f"eda={tmp_path / 'now.csv'}:4", "--rest", *rests).parts["eda"]
    assert [window.tolist() for window in signal.reference] == [[[3]], [[4]]]
    assert signal.unit == "uS"


def test_a_model_that_reads_against_rest_asks_for_it():
    with pytest.raises(ValueError, match="reads 'eda' against the person's rest, but --rest gives none"):
        against_rest("--signal", "eda=now.csv:4")


def test_a_source_the_model_lacks_is_named():
    with pytest.raises(ValueError, match=r"the model does not read \['text'\], expected some of \['eda'\]"):
        against_rest("--text", "calm")
