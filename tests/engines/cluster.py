"""A SLURM cluster of two nodes on this machine: real daemons on loopback, started for a test and always stopped."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "srun", "munged", "setpriv")
# Nothing enforces memory or cores: the two nodes are one machine. MinJobAge: a job's end can be read long after it.
CONFIGURATION = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
JobRequeue=1
KillWait=5
MinJobAge=3600
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={n1} CPUs=4 RealMemory=8000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={n2} CPUs=4 RealMemory=8000
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=01:00:00 State=UP
"""


def missing() -> str | None:
    """Why no cluster can be started here; None if one can."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"{', '.join(absent)} not installed; run tests/engines/install.sh as root on Debian or Ubuntu"
    return None if os.geteuid() == 0 else "SLURM's daemons want root"


class Cluster:
    """``with Cluster() as cluster: cluster.run("sbatch", ...)``; ``environment`` is for other programs that ask it."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="slurm"))  # short: a socket's path has at most 107 characters
        self.environment = {**os.environ, "SLURM_CONF": str(self.root / "slurm.conf")}
        self._daemons: list[subprocess.Popen] = []

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._daemons:
            subprocess.run(["scancel", "--full", f"--user={getpass.getuser()}"], env=self.environment, timeout=30)
            self._wait(lambda: not self.run("squeue", "--noheader"), "jobs to end", is_fatal=False)
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, *command: str, timeout_s: float = 30) -> str:
        """Output of a command of SLURM; RuntimeError with what it said where it fails."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=timeout_s)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stderr or done.stdout}")
        return done.stdout

    def submit(self, script: str, *options: str) -> str:
        """The id of the batch job that runs ``script``."""
        path = self.root / f"job.{secrets.token_hex(4)}.sh"
        path.write_text(script)
        return self.run("sbatch", "--parsable", *options, str(path)).strip()

    def job(self, job: str) -> dict[str, str]:
        """What the controller knows of a job, by its names: JobState, Restarts, ExitCode, Reason, ..."""
        fields = self.run("scontrol", "--oneliner", "show", "job", job).split()
        return dict(field.split("=", 1) for field in fields if "=" in field)

    def start_now(self, job: str) -> None:
        """Start a requeued job, which waits two minutes for its node to be clean; here the node is this machine.

        Two seconds are needed: credentials are dated in whole seconds, and in that of its requeue a job's new one is
        revoked like the old ("Killing non-startable batch job: Job credential revoked").
        """
        time.sleep(2)
        self.run("scontrol", "update", f"jobid={job}", "StartTime=now")

    def _start(self) -> None:
        for folder in ("munge", "state", "n1", "n2"):
            (self.root / folder).mkdir()
        self.root.chmod(0o755)  # munge's clients must reach the socket
        key = self.root / "munge" / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        ports = dict(zip(("controller", "n1", "n2"), _free_ports(3), strict=True))
        names = {"host": socket.gethostname().split(".")[0], "user": getpass.getuser(), "root": self.root}
        (self.root / "slurm.conf").write_text(CONFIGURATION.format(**names, **ports))
        (self.root / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
        places = [f"--{option}={self.root}/munge/{name}" for option, name in files.items()]
        self._daemon("munged", "--foreground", "--force", *places)
        self._wait((self.root / "munge" / "socket").exists, "munged")
        self._daemon("slurmctld", "-D")
        for node in ("n1", "n2"):
            self._daemon("slurmd", "-D", "-N", node)
        self._wait(lambda: self._idle_nodes() == 2, "both nodes to be idle")

    def _daemon(self, *command: str) -> None:
        """A child in the foreground that dies with this process, whatever that dies of."""
        with open(self.root / f"daemon{len(self._daemons)}.log", "w") as log:
            child = ["setpriv", "--pdeathsig", "TERM", *command]
            self._daemons.append(
                subprocess.Popen(child, env=self.environment, stdout=log, stderr=log, start_new_session=True)
            )

    def _idle_nodes(self) -> int:
        try:
            return self.run("sinfo", "--noheader", "--Node", "--states=idle", "--format=%N").count("\n")
        except RuntimeError:  # the controller does not answer yet
            return 0

    def _wait(self, condition: object, what: str, is_fatal: bool = True) -> None:
        for _ in range(200):
            if condition():
                return
            time.sleep(0.1)
        if is_fatal:
            logs = {path.name: path.read_text()[-500:] for path in self.root.glob("*.log")}
            raise RuntimeError(f"waited 20 s for {what}; {logs}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
