"""Processes started as ranks never outlive the call that started them, and take turns when told to."""

import time

import pytest

from benchmarks.ddp import Team, _take_turns
from benchmarks.ranks import end_ranks, run_ranks, start_ranks

WORK = "import os, time; rank = int(os.environ['LOCAL_RANK']); "
TURNS = (
    "import sys; [print('noise', flush=True) or print(f'turn {i + 1}', flush=True) for i, _ in enumerate(sys.stdin)]"
)


def test_ranks_know_their_numbers_and_where_they_meet(tmp_path):
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "GLOO_SOCKET_IFNAME", "OMP_NUM_THREADS")
    say = f"print(*(os.environ[name] for name in {names}))"
    run_ranks(["-c", WORK + say], tmp_path, num_ranks=2, num_threads=1, timeout_s=60)
    assert [(tmp_path / f"rank.{n}.txt").read_text() for n in range(2)] == [f"{n} 2 127.0.0.1 lo 1\n" for n in range(2)]


def test_a_rank_that_hangs_is_killed_with_its_children(tmp_path):
    hang = "os.fork(); open(f'{os.getpid()}.pid', 'w').close(); time.sleep(600)"
    here = f"import os; os.chdir({str(tmp_path)!r}); "
    with pytest.raises(RuntimeError, match=r"ranks ended with \[None, None\] \(None: not within 8 s\)"):
        run_ranks(["-c", here + WORK + hang], tmp_path, num_ranks=2, num_threads=1, timeout_s=8)
    pids = [path.stem for path in tmp_path.glob("*.pid")]
    deadline_s = time.monotonic() + 30
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert len(pids) >= 2 and not any(is_running(pid) for pid in pids)


def is_running(pid: str) -> bool:
    try:
        return open(f"/proc/{pid}/stat").read().split()[2] != "Z"
    except OSError:
        return False


def test_a_rank_that_fails_ends_the_others_at_once_and_says_why(tmp_path):
    begun_s = time.monotonic()
    with pytest.raises(RuntimeError, match=r"(?s)ranks ended with \[None, 1\].*ValueError: broken"):
        fail = "rank and exec('raise ValueError(\"broken\")'); time.sleep(600)"
        run_ranks(["-c", WORK + fail], tmp_path, num_ranks=2, num_threads=1, timeout_s=300)
    assert time.monotonic() - begun_s < 60


def test_turns_cost_what_all_ranks_say_and_the_first_does_not_count(tmp_path):
    teams = {}
    for name, num_ranks in (("one process", 1), ("pair", 2)):
        (tmp_path / name).mkdir()
        ranks = start_ranks(
            ["-c", TURNS],
            tmp_path / name,
            num_ranks=num_ranks,
            num_threads=1,
            stdin=-1,
            stdout=-1,
            text=True,
            bufsize=1,
        )
        teams[name] = Team(ranks, tmp_path / name)
    try:
        assert _take_turns(teams, rounds=3) == {"pair": [0.5, 0.5, 0.5]}
        teams["pair"].ranks[1].kill()
        teams["pair"].ranks[1].wait()
        with pytest.raises(RuntimeError, match="rank 1 ended"):
            _take_turns(teams, rounds=1)
    finally:
        for team in teams.values():
            end_ranks(team.ranks)
