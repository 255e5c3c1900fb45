#!/usr/bin/env bash
# Make a Raspberry Pi or a Jetson a runner for one job at a time. Run it on the board, as root.
#
#   sudo ./provision.sh --runner actions-runner-linux-arm64.tar.gz --sha256 HASH
#
# It installs Python, makes a user without rights, unpacks GitHub's runner (which you downloaded, and
# whose hash you took from its release page), and sets up two units: one that waits for a
# just-in-time configuration, one that runs a single job with it. No token stays on the board:
# arm.sh, on a machine that you trust, sends a configuration for each job.
set -euo pipefail

usage() {
  echo "usage: sudo $0 --runner FILE.tar.gz --sha256 HASH" >&2
  exit 2
}

runner="" sha256=""
while [ $# -gt 0 ]; do
  case "$1" in
    --runner) runner=${2:-}; shift 2 || usage ;;
    --sha256) sha256=${2:-}; shift 2 || usage ;;
    *) usage ;;
  esac
done
[ -n "$runner" ] && [ -n "$sha256" ] || usage

machine=$(uname -m) bits=$(getconf LONG_BIT)
if [ "$machine" != aarch64 ] || [ "$bits" != 64 ]; then
  echo "This is a $bits-bit system on $machine. onnxruntime has wheels for 64-bit Arm only:" >&2
  echo "write Raspberry Pi OS Lite (64-bit) or JetPack 6 to the card and start again." >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "Making a user and units takes root: sudo $0 ..." >&2
  exit 1
fi
if ! echo "$sha256  $runner" | sha256sum --check --status; then
  echo "$runner: not the file with the hash $sha256; download it again" >&2
  exit 1
fi

apt-get update
apt-get install --yes --no-install-recommends python3 python3-venv git

id steelyard > /dev/null 2>&1 || useradd --system --create-home --shell /usr/sbin/nologin steelyard
home=/opt/steelyard-runner
install -d -m 755 "$home"
install -m 644 "$runner" "$home/runner.tar.gz"

here=$(cd "$(dirname "$0")" && pwd)
install -m 755 "$here/one-job.sh" "$home/one-job.sh"
install -m 644 "$here/steelyard-runner.service" "$here/steelyard-runner.path" /etc/systemd/system/
install -d -m 700 /run/steelyard
echo 'd /run/steelyard 0700 root root' > /etc/tmpfiles.d/steelyard.conf
systemctl daemon-reload
systemctl enable --now steelyard-runner.path

echo "ready: arm.sh $(hostname) on a trusted machine sends it its first job"
