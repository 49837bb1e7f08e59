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
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "best.ckpt").touch()
    (tmp_path / "config.yaml").write_text("size: {plan: {least_belief: 0.8}}\nreport: {num_plans: 1}\n")
    with pytest.raises(SystemExit, match=r"size\.plan\.least_belief has been written into the keys that use it"):
        evaluate.main([f"run={tmp_path}", "size.plan.least_belief=0.9"])
    with pytest.raises(SystemExit, match=r"this run's config\.yaml has no key report\.num_plan$"):
        evaluate.main([f"run={tmp_path}", "report.num_plan=2"])
    with pytest.raises(SystemExit, match="usage: "):
        evaluate.main([])
