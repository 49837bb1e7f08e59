"""Testing a run again gives what the run gave."""

import json

import pytest

from fusion import evaluate


def test_a_checkpoint_is_tested_with_its_own_configuration_and_overrides(run):
    folder, *_ = run
    evaluate.main([f"run={folder}", "report.num_plans=1", "report.generated_rows=[all]"])
    metrics = json.loads((folder / "evaluated" / "metrics.json").read_text())["test"]
    assert metrics["all"]["plan/parse_rate"] == 1 and "plan/parse_rate" not in metrics["as_recorded"]
    assert metrics.keys() >= {"text", "signals+photo"}


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"no config\.yaml in .*expected run=<a run directory"):
        evaluate.main([f"run={tmp_path}"])
    with pytest.raises(SystemExit, match="usage: "):
        evaluate.main([])
