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

ROOT = Path(__file__).parent.parent


def run_ranks(command: list[str], folder: Path, *, num_ranks: int, num_threads: int, timeout_s: float) -> None:
    """Run ``python COMMAND`` as ranks 0, 1, ... over gloo on the loopback interface.

    What they print is in ``folder``/rank.<n>.txt. A rank that fails or is late ends all of them: RuntimeError with the
    last lines of each.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ranks = [_start(command, folder, rank, num_ranks, num_threads, port) for rank in range(num_ranks)]
    deadline_s = time.monotonic() + timeout_s
    try:
        while any(rank.poll() is None for rank in ranks):
            if any(rank.returncode for rank in ranks) or time.monotonic() > deadline_s:
                break
            time.sleep(0.05)
        codes = [rank.poll() for rank in ranks]
    finally:
        for rank in ranks:
            if rank.poll() is None:
                os.killpg(rank.pid, signal.SIGKILL)  # workers of its data loader too
            rank.wait()
    if any(code != 0 for code in codes):
        said = "\n".join((folder / f"rank.{n}.txt").read_text()[-3000:] for n in range(num_ranks))
        raise RuntimeError(f"ranks ended with {codes} (None: not within {timeout_s} s):\n{said}")


def _start(
    command: list[str], folder: Path, rank: int, num_ranks: int, num_threads: int, port: int
) -> subprocess.Popen:
    about = {
        "LOCAL_RANK": rank, "RANK": rank, "NODE_RANK": 0, "WORLD_SIZE": num_ranks, "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": num_threads, "PYTHONPATH": ROOT,
    }  # fmt: skip
    with open(folder / f"rank.{rank}.txt", "w") as terminal:
        return subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env={**os.environ, **{k: str(v) for k, v in about.items()}},
            stdout=terminal, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
