#!/usr/bin/env bash
# SLURM as Debian packages it, for the tests that start a cluster of their own on loopback: half a minute, nothing where
# it is there already.
set -euo pipefail
packages=(slurmctld slurmd slurm-client munge)
is_there=true
for program in slurmctld slurmd srun munged; do command -v "$program" >/dev/null || is_there=false; done
if $is_there; then exit 0; fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "SLURM's tests will be skipped: installing ${packages[*]} needs root on Debian or Ubuntu" >&2
  exit 1
fi
# The tests start daemons of their own, with a configuration of their own; the packages' services must not start.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
