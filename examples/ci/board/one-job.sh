#!/usr/bin/env bash
# One job on a fresh copy of the runner; started by steelyard-runner.service as root.
set -euo pipefail

config=/run/steelyard/jitconfig
home=/opt/steelyard-runner
work=$(mktemp -d /var/tmp/steelyard-job.XXXXXX)
finish() {
  rm -rf "$work"
  rm -f "$config"
}
trap finish EXIT

tar -xzf "$home/runner.tar.gz" -C "$work"
chown -R steelyard: "$work"
secret=$(cat "$config")
rm -f "$config"
# A just-in-time configuration serves one job; then the registration is gone.
runuser -u steelyard -- env -i HOME="$work" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 \
  STEELYARD_CACHE=/home/steelyard/cache "$work/run.sh" --jitconfig "$secret"
