#!/usr/bin/env bash
# Starts workers on machines by ssh, WORKERS on each (default: one), and waits for them:
#   workers.sh s3://bucket/set host1 host2 host3
# Keys of the store and pixtrawl itself must be there already.
set -euo pipefail
store=${1:?name the store of the job}
shift
for host in "$@"; do
  for _ in $(seq "${WORKERS:-1}"); do
    ssh -o BatchMode=yes "$host" pixtrawl worker "$(printf %q "$store")" -q &
  done
done
wait
