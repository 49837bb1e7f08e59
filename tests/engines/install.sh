#!/usr/bin/env bash
# The engines that tests start for themselves: SLURM as Debian packages it, and Ray in an environment of its own.
# A minute in all, nothing where they are there already; tests of what cannot be installed are skipped and say why.
set -uo pipefail
cd "$(dirname "$0")/../.."

slurm() {
  local packages=(slurmctld slurmd slurm-client munge) program is_there=true
  for program in slurmctld slurmd srun munged; do command -v "$program" >/dev/null || is_there=false; done
  if $is_there; then return; fi
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "SLURM's tests will be skipped: installing ${packages[*]} needs root on Debian or Ubuntu" >&2
    return 1
  fi
  # The tests start daemons of their own, with a configuration of their own; the packages' services must not start.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
}

# hydra-ray-launcher pins cloudpickle<3 and joblib 1.6 wants 3, so it has an environment that borrows all the rest.
ray() {
  local main=.venv own=.cache/ray pinned
  pinned="$(mktemp)"
  if [ -x "$own/bin/python" ] && "$own/bin/python" -c "from importlib.util import find_spec as f; import ray; assert f('torch')" 2>/dev/null; then return; fi
  grep -vE '^(cloudpickle|python-dateutil|joblib)==' requirements.txt >"$pinned"
  rm -rf "$own"
  "$main/bin/uv" venv --quiet --python "$main/bin/python" "$own" &&
    "$main/bin/uv" pip install --quiet --python "$own/bin/python" --constraint "$pinned" \
      "hydra-ray-launcher==1.2.2" "ray==2.60.0" "joblib==1.5.3" "cloudpickle==2.2.1" &&
    "$main/bin/python" -c "
import pathlib, sysconfig
(folder,) = pathlib.Path('$own/lib').glob('python3*/site-packages')
(folder / 'borrowed.pth').write_text(f'import site; site.addsitedir({sysconfig.get_path(\"purelib\")!r})')"
  local status=$?
  rm -f "$pinned"
  [ $status = 0 ] || echo "Ray's test will be skipped: its environment cannot be installed" >&2
  return $status
}

slurm
slurm_status=$?
ray && exit $slurm_status
