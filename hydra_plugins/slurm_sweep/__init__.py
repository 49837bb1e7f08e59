"""The launcher behind hydra/launcher=slurm; here because Hydra looks for launchers in this namespace only."""

from importlib.util import find_spec

if find_spec("hydra_plugins.hydra_submitit_launcher"):  # the extra "slurm"; Hydra imports its plugins at every start
    from hydra_plugins.slurm_sweep._launcher import SlurmSweepLauncher

    __all__ = ["SlurmSweepLauncher"]
