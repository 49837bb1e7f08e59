"""The launchers without a queue: both jobs of a sweep run, and the one that diverges fails by name."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RAY = ROOT / ".cache" / "ray" / "bin" / "python"
TINY = [
    "experiment=fusion_tiny", "data.cohort.num_people=24", "data.cohort.window_s=20", "modality=[heart_rate]",
    "head=[health_state]", "report.generated_rows=[]", "report.num_bootstraps=10", "callbacks.progress.refresh_rate=0",
]  # fmt: skip
no_ray = pytest.mark.skipif(not RAY.is_file(), reason="no environment with Ray; run tests/engines/install.sh")


@pytest.mark.parametrize(
    ("python", "launcher"), [(sys.executable, "local"), pytest.param(str(RAY), "ray", marks=no_ray)]
)
def test_one_job_finishes_and_the_diverging_one_fails_by_name(python, launcher, tmp_path):
    status, said = sweep(python, launcher, tmp_path, "optim.lr=1e-3,1e30", "trainer.gradient_clip_val=null")
    assert status != 0
    assert re.search(r"Error executing job with overrides: .*optim.lr=1e\+30", said), said[-3000:]
    assert re.search(r"FloatingPointError: .*loss is .*lower optim.lr", said)
    (runs,) = (tmp_path / "sweeps").iterdir()
    assert (runs / "0" / "metrics.json").is_file()
    assert (runs / "1" / "config.yaml").is_file() and not (runs / "1" / "metrics.json").exists()


def sweep(python: str, launcher: str, folder: Path, *overrides: str) -> tuple[int, str]:
    """Exit status and terminal of a sweep; everything it started is killed after four minutes."""
    command = [python, "train.py", "-m", f"hydra/launcher={launcher}", *TINY, f"paths.output_dir={folder}", *overrides]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    with open(folder / "terminal.txt", "w") as terminal:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=terminal, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            status = process.wait(240)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return status, (folder / "terminal.txt").read_text()
