"""Where a result came from."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("torch", "torchvision", "torchaudio", "pytorch-lightning", "transformers", "timm", "neurokit2", "numpy")
STARTED_S = time.monotonic()


def provenance() -> dict[str, object]:
    """Command, git commit and dirty flag, python, platform and package versions."""
    return {
        "command": " ".join(sys.argv),
        "git_commit": _git("rev-parse", "HEAD"),
        "git_is_dirty": bool(_git("status", "--porcelain")),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def cost() -> dict[str, float]:
    """Wall time of this process so far and its peak memory."""
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"wall_s": round(time.monotonic() - STARTED_S, 1), "peak_memory_gib": round(peak_kb / 2**20, 2)}


def _git(*arguments: str) -> str | None:
    """Answer of git in the project's checkout, None outside one."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, cwd=folder)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
