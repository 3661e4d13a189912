#!/usr/bin/env bash
# Starts a Ray on this machine and on others by ssh, and carries a job out on it:
#   ray-machines.sh urls.parquet s3://bucket/set host1 host2 host3
# `pixtrawl[ray]`, in one version, and the keys of the store must be everywhere. HEAD is an address of
# this machine that the others reach; PORT its port. The Ray stays up for further jobs: `ray stop` on
# each machine ends it (and any other Ray there).
set -euo pipefail
manifest=${1:?name the list of URLs}
store=${2:?name the store of the job}
shift 2
head=${HEAD:-$(hostname -I | cut -d' ' -f1)}
port=${PORT:-6379}
ray status --address "$head:$port" >/dev/null 2>&1 ||
  ray start --head --node-ip-address "$head" --port "$port" --disable-usage-stats
for host in "$@"; do
  ssh -o BatchMode=yes "$host" ray start --address "$head:$port" --disable-usage-stats
done
exec pixtrawl download "$manifest" -o "$store" --engine ray --address "$head:$port"
