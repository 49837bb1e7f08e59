"""Testing a run again gives what the run gave."""

import json

import pytest

from fusion import evaluate


def test_a_checkpoint_is_tested_with_its_own_configuration_and_overrides(run):
    folder, *_ = run
    assert evaluate.main([f"run={folder}", "report.num_plans=1", "report.generated_rows=[all]"]) == 0
    metrics = json.loads((folder / "evaluated" / "metrics.json").read_text())["test"]
    assert metrics["all"]["plan/parse_rate"] == 1 and "plan/parse_rate" not in metrics["as_recorded"]
    assert metrics.keys() >= {"text", "signals+photo"}


@pytest.fixture
def no_run(tmp_path):
    """A folder with a run's files and nothing in them."""
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "best.ckpt").touch()
    (tmp_path / "config.yaml").write_text("size: {plan: {least_belief: 0.8}}\nreport: {num_plans: 1}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("size.plan.least_belief=0.9", r"size\.plan\.least_belief has been written into the keys that use it"),
        ("report.num_plan=2", r"this run's config\.yaml has no key report\.num_plan$"),
    ],
)
def test_a_key_that_nothing_reads_is_named(override, message, no_run):
    with pytest.raises(ValueError, match=message):
        evaluate.evaluate(no_run, [override])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run={folder}"], "error: no config.yaml in {folder}; expected the directory of a finished train.py run"),
        ([], "error: arguments are []; usage: python -m fusion.evaluate [-h] run=DIR [key=value ...]"),
        (["run=a", "run=b"], "error: arguments are ['run=a', 'run=b']; usage: "),
    ],
)
def test_what_is_no_run_is_said_in_one_line(arguments, message, tmp_path, capsys):
    assert evaluate.main([argument.format(folder=tmp_path) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(message.format(folder=tmp_path)) and said.count("\n") == 1
