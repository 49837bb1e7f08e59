"""A trained model survives the way to disk and back, alone and unchanged."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

import fusion
from datamodules.collate import Sample
from datamodules.records import HealthRecord, Note
from fusion.apps.export import main
from fusion.apps.exporter import export
from fusion.apps.predict import show
from fusion.construct import construct
from fusion.plan import load_tokenizer, sources
from tests.datamodules.labelled_sets import WRITERS
from tests.fusion.conftest import leave_run

GROUP_PARTS = (("text",), ("ppg", "eda", "acc", "temperature"), ("photo",), ("audio",))
DIARY = "Slept badly, deadlines everywhere. I want to lose weight."
FRESH = """
import json, sys
import fusion
from datamodules.records import HealthRecord, Note
record = HealthRecord(record_id="r", person_id="p", parts={"text": Note(key="n", text=sys.argv[2])}, targets={})
(answer,) = fusion.load(sys.argv[1]).predict([record])
heavy = {"pytorch_lightning", "hydra", "omegaconf", "torchmetrics", "neurokit2"} & sys.modules.keys()
print(json.dumps([answer.probabilities, answer.answers["plan"].plan_text, sorted(heavy)]))
"""


def record(parts: dict) -> HealthRecord:
    return HealthRecord(record_id="r", person_id="p", parts=parts, targets={})


@contextmanager
def tagging(loaded, tag: str):
    """The model while its tagger gives every word piece ``tag``."""
    head = loaded.model.heads["diet_tags"]
    bias = head.classify[-1].bias
    kept = bias.clone()
    with torch.no_grad():
        bias[head.names.index(tag)] = 1e4
    try:
        yield
    finally:
        bias.data.copy_(kept)


def edited(folder: Path, to: Path, name: str, change) -> Path:
    """A copy of an exported folder with one json file changed."""
    shutil.copytree(folder, to)
    content = json.loads((to / name).read_text())
    change(content)
    (to / name).write_text(json.dumps(content))
    return to


def states(prediction) -> dict[str, float]:
    """Probability of every state."""
    return prediction.probabilities["health_state"]


def fuse(data, module, records):
    """The fused tokens of ``records`` in the model that was trained, by way of the data module."""
    absent = {name: modality.prepare.absent() for name, modality in data.modalities.items()}
    samples = [
        Sample(
            r.record_id, r.person_id, {name: data.preparation.scaled(name, r) or absent[name] for name in absent}, {}
        )
        for r in records
    ]
    return module.model.fuse(module.model.encode(data.collate_fn()(samples).streams))


def test_the_answers_are_those_of_the_trained_model(run, loaded):
    _, data, module = run
    records = data.splits["test"]
    with torch.inference_mode():
        fused = fuse(data, module, records)
        states = module.model.heads["health_state"].predict(fused)
        contexts = [data.preparation.context(r, data.preparation.present(r)) for r in records]
        limits = [context.limits for context in module.pipeline.held_to(fused, contexts)]
        plans = module.model.heads["plan"].predict(fused, limits)
    predictions = loaded.predict(records)
    got = torch.tensor([list(p.probabilities["health_state"].values()) for p in predictions])
    torch.testing.assert_close(got, states, atol=1e-6, rtol=0)
    assert tuple(predictions[0].probabilities["health_state"]) == data.targets["health_state"].names
    assert [p.answers["plan"].plan_text for p in predictions] == [
        load_tokenizer().decode(ids) for ids in plans.tolist()
    ]


def test_the_words_tagged_are_those_of_the_pieces_tagged(run, loaded):
    assert loaded.model.heads["diet_tags"].names == run[1].targets["diet_tags"].names
    with tagging(loaded, "B-VEG"):
        texts = ["Cold soup, twice.", "Tea"]
        notes = [record({"text": Note(key=text, text=text)}) for text in texts]
        cold, tea, silent = loaded.predict([*notes, record({})])
    assert cold.tagged == {"diet_tags": [(word, "VEG") for word in ("Cold", "soup", ",", "twice", ".")]}
    assert tea.tagged == {"diet_tags": [("Tea", "VEG")]} and silent.tagged == {"diet_tags": []}
    assert "diet_tags" not in cold.probabilities


def test_foods_that_the_tagger_finds_feed_the_plan_and_its_evidence(loaded):
    """Carrots are emphasised, coffee is limited, and the text is cited for both; what is not found is not cited."""
    note = record({"text": Note(key="n", text="I had carrots and a coffee. I want to sleep better.")})
    with tagging(loaded, "B-VEG"):
        (found,) = loaded.predict([note])
    with tagging(loaded, "O"):
        (missed,) = loaded.predict([note])
    assert "vegetables" in found.plan.diet.emphasise and "caffeine" in found.plan.diet.limit
    cited = {claim.finding for claim in found.plan.because if claim.group == "text"}
    assert {"vegetables", "caffeine"} <= cited and not {"fruit", "sweets", "alcohol", "fried_food"} & cited
    assert not {"vegetables", "caffeine"} & {claim.finding for claim in missed.plan.because}


# numbers alone; a number beside classes
@pytest.mark.parametrize(("name", "target"), [("pmdata", "wellness"), ("ecustfd", "weight")])
def test_numbers_come_back_in_the_unit_of_their_labels(name, target, tmp_path, capsys):
    WRITERS[name](tmp_path / name, np.random.default_rng(0))
    folder, data, module = leave_run(tmp_path / "run", f"data={name}", "model=tiny", f"paths.data_dir={tmp_path}")
    export(folder, tmp_path / "model")
    records = data.splits["test"][:3]
    loaded = fusion.load(tmp_path / "model")
    answers = loaded.predict(records)
    head = module.model.heads[target]
    with torch.inference_mode():
        wanted = head.predict(fuse(data, module, records))
    torch.testing.assert_close(torch.tensor([list(a.numbers[target].values()) for a in answers]), wanted)
    assert tuple(answers[0].numbers[target]) == data.targets[target].names
    assert ((wanted - head.mean).abs() < 2 * head.spread).all() and (head.spread > 0.5).all()  # not standardised
    assert answers[0].probabilities.keys() == data.targets.keys() - {target}
    show(answers[0], loaded.targets)
    out = capsys.readouterr().out
    assert all(f"{name} " in out and f"{wanted[0, i]:.4g}" in out for i, name in enumerate(head.names))
    assert answers[0].follows == [] and "Follows" not in out


def test_a_plan_names_its_sources_and_the_conditions_it_was_held_to(loaded):
    note = Note(key="n", text="My left knee is injured. I want to sleep better.")
    said, silent = loaded.predict([record({"text": note}), record({})])
    assert said.conditions == ("knee_injury",) and silent.conditions == ()
    assert ("safety", "knee_injury") in {source[:2] for source in said.follows}
    assert silent.follows == sources(silent.plan, max(states(silent), key=states(silent).get))


def test_two_records_differ(run, loaded):
    """Guards the tests above and below: a model that ignores its input would pass them."""
    one, other = loaded.predict(run[1].splits["test"][:2])
    assert abs(states(one)["balanced"] - states(other)["balanced"]) > 1e-5


def test_every_subset_is_answered_and_says_what_was_read(run, loaded):
    parts = run[1].splits["test"][0].parts
    subsets = [subset for size in range(5) for subset in combinations(GROUP_PARTS, size)]
    records = [record({name: parts[name] for group in subset for name in group}) for subset in subsets]
    predictions = loaded.predict(records, batch_size=5)
    assert len(predictions) == 16
    for subset, prediction in zip(subsets, predictions, strict=True):
        assert sum(states(prediction).values()) == pytest.approx(1, abs=1e-5)
        sources = {loaded.preparation.modalities[name].source for name in prediction.read}
        assert sources == {name for group in subset for name in group}
    assert len({round(states(p)["balanced"], 8) for p in predictions}) == 16  # of weights that never learned


def test_whatever_a_plan_cites_is_borne_out_by_the_record(run, loaded):
    """Of weights that never learned: a claim needs its modality, the record's own heart rate, and a span inside it."""
    parts = run[1].splits["test"][0].parts
    beats = loaded.preparation.modalities["heart_rate"].prepare(parts["ppg"])
    bpm = 5 * round(float(beats.values[beats.valid, 0].mean()) / 5)
    spans = {"signals": 30, "audio": 5}  # seconds of this cohort's signals and clips
    subsets = [subset for size in range(5) for subset in combinations(GROUP_PARTS, size)]
    records = [record({name: parts[name] for group in subset for name in group}) for subset in subsets]
    claims = 0
    for prediction in loaded.predict(records):
        present = {loaded.preparation.modalities[name].group for name in prediction.read}
        for claim in prediction.plan.because:
            claims += 1
            assert claim.group in present
            assert (claim.value, claim.unit) in ((None, None), (bpm, "bpm"))
            assert claim.unit is None or claim.group == "signals"
            assert claim.last_s is None or claim.last_s <= spans[claim.group]
    assert claims >= 15


def test_a_fresh_process_gives_the_same_answers_and_loads_lightly(exported, loaded):
    done = subprocess.run(
        [sys.executable, "-c", FRESH, exported, DIARY],
        capture_output=True, text=True, check=True, cwd=Path(fusion.__file__).parents[1],
    )  # fmt: skip
    probabilities, plan_text, heavy = json.loads(done.stdout.splitlines()[-1])
    (here,) = loaded.predict([record({"text": Note(key="n", text=DIARY)})])
    assert heavy == []
    assert plan_text == here.answers["plan"].plan_text
    for head, classes in here.probabilities.items():
        assert probabilities[head] == pytest.approx(classes, abs=1e-6)


def test_the_folder_alone_is_enough(exported, tmp_path, monkeypatch, loaded):
    """No pretrained package, no hub, no run directory: a copy elsewhere answers the same."""

    def refuse(name):
        raise AssertionError(f"looked for pretrained weights of {name}")

    for module in ("bert_text", "timm_image"):
        monkeypatch.setattr(f"fusion.encoders.{module}.find_weights", refuse)
    moved = shutil.copytree(exported, tmp_path / "moved")
    note = record({"text": Note(key="n", text=DIARY)})
    assert fusion.load(moved).predict([note]) == loaded.predict([note])


def test_the_folder_holds_no_pickle_and_no_path_of_this_machine(run, exported):
    files = [path for path in exported.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".txt"}
    assert str(run[0]) not in "".join(path.read_text() for path in files if path.suffix == ".json")


def test_the_configuration_says_where_the_model_came_from(exported):
    config = json.loads((exported / "config.json").read_text())
    assert len(config["exported"]["git_commit"]) == 40
    assert "torch" in config["exported"]["versions"]
    assert config["targets"]["health_state"]["names"][0] == "balanced"
    assert set(config["modalities"]["ppg"]) == {"source", "group", "prepare"}


def test_an_existing_folder_is_not_overwritten(run, exported):
    with pytest.raises(ValueError, match=r"exists; remove it or choose another to="):
        export(run[0], exported)


def test_a_failed_export_leaves_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setattr("fusion.load", lambda folder: (_ for _ in ()).throw(ValueError("does not load")))
    with pytest.raises(ValueError, match="does not load"):
        export(run[0], tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_run_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no config.yaml in .*expected the directory of a finished train.py run"):
        export(tmp_path, tmp_path / "model")


@pytest.mark.parametrize("arguments", [["rum=a", "to=b"], ["run=a"], ["run=", "to=b"], ["run=no_such_run", "to=b"]])
def test_the_command_line_answers_in_one_line(arguments, capsys):
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and message.count("\n") == 1


def test_the_command_line_exports(run, tmp_path, capsys):
    assert main([f"run={run[0]}", f"to={tmp_path / 'model'}"]) == 0
    assert "fusion.load" in capsys.readouterr().out
    assert (tmp_path / "model" / "model.safetensors").is_file()


def test_statistics_of_another_preprocessing_are_refused(exported, tmp_path):
    folder = edited(exported, tmp_path / "m", "preprocessing.json", lambda s: s.update(ppg={"median": [0.0]}))
    with pytest.raises(ValueError, match="signal statistics are"):
        fusion.load(folder)


@pytest.mark.parametrize("name", ["ppg", "audio"])
def test_missing_statistics_are_an_error_never_raw_values(exported, tmp_path, name):
    folder = edited(exported, tmp_path / "m", "preprocessing.json", lambda s: s.pop(name))
    with pytest.raises(ValueError, match=f"no statistics of '{name}'"):
        fusion.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format=99), "format 99, expected 2"),
        (lambda c: c.update(plan_vocabulary="x"), "another plan vocabulary"),
        (lambda c: c["model"]["fusion"].update(num_querys=1), "num_querys"),
        (lambda c: c["model"]["fusion"].update(num_queries=5), "does not hold the weights"),
    ],
)
def test_a_changed_configuration_is_refused(exported, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        fusion.load(edited(exported, tmp_path / "m", "config.json", change))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no config.json in .*expected a folder that fusion.apps.export wrote"):
        fusion.load(tmp_path)


@pytest.mark.parametrize("target", ["os.system", "fusion.predict.main", "fusion.encoders.bert_text.find_weights", "x"])
def test_a_foreign_folder_cannot_name_other_code(target):
    with pytest.raises(ValueError, match="_target_"):
        construct({"_target_": target})
