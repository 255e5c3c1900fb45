#!/usr/bin/env bash
# Send a board the configuration of its next job. Run it where `gh` is logged in as an administrator
# of the repository, and ssh reaches root of the board.
#
#   ./arm.sh OWNER/REPOSITORY pi5.local raspberry-pi-5
set -euo pipefail

if [ $# != 3 ]; then
  echo "usage: $0 OWNER/REPOSITORY HOST LABEL" >&2
  exit 2
fi
repository=$1 host=$2 label=$3

config=$(gh api --method POST "repos/$repository/actions/runners/generate-jitconfig" \
  -f name="$label-$(date +%s)" -F runner_group_id=1 \
  -f "labels[]=self-hosted" -f "labels[]=linux" -f "labels[]=ARM64" -f "labels[]=$label" \
  --jq .encoded_jit_config)
# Written aside and renamed, or the board would start with half of it.
printf '%s' "$config" | ssh "root@$host" \
  'umask 077; cat > /run/steelyard/jitconfig.new && mv /run/steelyard/jitconfig.new /run/steelyard/jitconfig'
echo "$host takes one job labelled $label"
