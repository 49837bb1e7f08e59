"""Start the ranks of one job as fresh processes of this machine and wait for them, never longer than told.

Nothing is forked from the caller: a forked child of a process whose torch threads live may wait for them for ever.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def run_ranks(command: list[str], folder: Path, *, num_ranks: int, num_threads: int, timeout_s: float) -> None:
    """Run ``python COMMAND`` as ranks 0, 1, ... and wait for all.

    What they print is in ``folder``/rank.<n>.txt. A rank that fails or is late ends all of them: RuntimeError with the
    last lines of each.
    """
    ranks = start_ranks(command, folder, num_ranks=num_ranks, num_threads=num_threads)
    deadline_s = time.monotonic() + timeout_s
    try:
        while None in (codes := [rank.poll() for rank in ranks]):
            if any(codes) or time.monotonic() > deadline_s:
                break
            time.sleep(0.05)
    finally:
        end_ranks(ranks)
    if any(code != 0 for code in codes):
        said = "\n".join((folder / f"rank.{n}.txt").read_text()[-3000:] for n in range(num_ranks))
        raise RuntimeError(f"ranks ended with {codes} (None: not within {timeout_s} s):\n{said}")


def start_ranks(
    command: list[str], folder: Path, *, num_ranks: int, num_threads: int, **pipes: Any
) -> list[subprocess.Popen]:
    """Ranks 0, 1, ... of ``python COMMAND``; ``pipes``: of subprocess.Popen."""
    ranks = []
    for rank, own in enumerate(environments(num_ranks)):
        with open(folder / f"rank.{rank}.txt", "w") as terminal:
            kept = {"stdout": terminal, "stderr": terminal, **pipes}
            environment = {**os.environ, **own, "OMP_NUM_THREADS": str(num_threads), "PYTHONPATH": str(ROOT)}
            ranks.append(
                subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, start_new_session=True, **kept)
            )
    return ranks


def environments(num_ranks: int) -> list[dict[str, str]]:
    """What tells ranks 0, 1, ... who they are and where they meet: over gloo on the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {
        "NODE_RANK": "0", "WORLD_SIZE": str(num_ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        "GLOO_SOCKET_IFNAME": "lo",
    }  # fmt: skip
    return [{**shared, "LOCAL_RANK": str(rank), "RANK": str(rank)} for rank in range(num_ranks)]


def end_ranks(ranks: list[subprocess.Popen]) -> None:
    """Kill those that still run, workers of their data loaders too."""
    for rank in ranks:
        if rank.poll() is None:
            os.killpg(rank.pid, signal.SIGKILL)
        rank.wait()
