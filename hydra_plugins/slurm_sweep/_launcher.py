"""Hydra's submitit launcher for sweeps of which some jobs fail."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher

log = logging.getLogger(__name__)
# srun ... bash -c HOLD - COMMAND: until submitit or the training has a handler, a signal to save must not kill
HOLD = 'trap "" USR1 USR2; exec "$@"'


class SlurmSweepLauncher(SlurmLauncher):
    """Wait for every job, name the failed ones and their logs as they fail, and rank the others at the end.

    A job that raises is FAILED in SLURM's queue as well; with the plugin's own launcher it is COMPLETED there.
    """

    def __call__(self, *args: Any) -> JobReturn:
        """What runs in a job."""
        returned = super().__call__(*args)
        _ = returned.return_value  # raises what the training raised
        return returned

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from fusion.training.slurm import collect  # submitit takes a second, and Hydra imports this file at every start

        folder = Path(self.config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        names = _names(job_overrides)
        calls = [
            (list(overrides), "hydra.sweep.dir", number, f"job_id_for_{number}", Singleton.get_state())
            for number, overrides in enumerate(job_overrides, initial_job_idx)
        ]
        jobs = self._executor().map_array(self, *zip(*calls, strict=True))
        log.info(f"{len(jobs)} jobs are in the queue, {jobs[0].job_id} the first; runs in {folder}")

        def say(index: int, result: object) -> None:
            run = f"#{initial_job_idx + index} {names[index]}"
            if isinstance(result, JobReturn):
                log.info(f"{run}: finished with {result.return_value:.6g}")
            else:
                log.error(f"{run}: {result}")

        results = collect(jobs, say)
        self._rank(results, names, initial_job_idx)
        return [
            result
            if isinstance(result, JobReturn)
            else JobReturn(overrides=overrides, status=JobStatus.FAILED, _return_value=result)
            for overrides, result in zip(job_overrides, results, strict=True)
        ]

    def _executor(self) -> Any:
        import submitit

        settings = dict(self.params)
        executor = submitit.AutoExecutor(
            folder=settings.pop("submitit_folder"), cluster="slurm",
            slurm_max_num_timeout=settings.pop("max_num_timeout"),
        )  # fmt: skip
        shared = BaseQueueConf.__dataclass_fields__
        named = {name if name in shared else f"slurm_{name}": value for name, value in settings.items()}
        executor.update_parameters(**named, slurm_srun_args=["bash", "-c", HOLD, "-"])
        return executor

    def _rank(self, results: list[object], names: list[str], first: int) -> None:
        """The finished jobs, best first by what they return: ``monitor.metric``."""
        good = [(r.return_value, index) for index, r in enumerate(results) if isinstance(r, JobReturn)]
        good.sort(reverse=self.config.monitor.mode == "max")
        log.info(f"{len(good)} of {len(results)} jobs finished; by {self.config.monitor.metric}, best first:")
        for value, index in good:
            log.info(f"{value:12.6g}  #{first + index} {names[index]}")


def _names(job_overrides: Sequence[Sequence[str]]) -> list[str]:
    """What tells the jobs apart: the overrides that not all of them have."""
    common = set(job_overrides[0]).intersection(*job_overrides) if len(job_overrides) > 1 else set()
    return [" ".join(o for o in overrides if o not in common) for overrides in job_overrides]
