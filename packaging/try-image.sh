#!/usr/bin/env bash
# Builds the image and tries it, on a machine without a container engine: with buildah, as root. See docs/container.md.
#
#   packaging/try-image.sh              with the base image of the Dockerfile, or the one that NODE_IMAGE names
#   packaging/try-image.sh --stand-in   with a minimal Debian and this machine's Node.js in its place, where none can be pulled
#
# What follows goes to `buildah bud`: --volume FILE:/root/.npmrc:ro for a file that npm is to read while it builds.
# Needs buildah (and debootstrap for --stand-in), and about 4 GB in TMPDIR while it runs.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${NODE_IMAGE:-docker.io/library/node:20-bookworm-slim}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '\n== %s\n' "$*"; }

in_storage() {
  local command=$1
  shift
  buildah --root "$work/root" --runroot "$work/run" --storage-driver vfs "$command" "$@"
}

# /usr/local/bin/node and npm over Debian, as in the image that it stands for.
make_stand_in() {
  local tree=$work/tree npm
  debootstrap --variant=minbase bookworm "$tree" >/dev/null
  npm=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")
  mkdir -p "$tree/usr/local/lib/node_modules"
  cp "$(realpath "$(command -v node)")" "$tree/usr/local/bin/node"
  cp -R "$npm" "$tree/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$tree/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$tree/usr/local/bin/npx"
  rm -rf "$tree/var/cache/apt" "$tree/var/lib/apt/lists" "$tree/usr/share/doc"
  local container
  container=$(in_storage from scratch)
  in_storage add --quiet "$container" "$tree" / >/dev/null
  in_storage commit --quiet --rm "$container" "$1" >/dev/null
  rm -rf "$tree"
}

if [ "${1:-}" = --stand-in ]; then
  shift
  step "a stand-in for $base"
  base=localhost/node-stand-in:20
  make_stand_in "$base"
else
  step "pull $base"
  in_storage pull --quiet "$base"
fi

step "build"
in_storage bud --isolation chroot --format docker --pull-never "$@" \
  --build-arg "NODE_IMAGE=$base" --build-arg "REVISION=$(git rev-parse HEAD)" --target broker --tag millrace:try .

step "what the image says of itself"
in_storage inspect --type image --format \
  '{{.Docker.Config.User}} {{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}} {{.Docker.Config.Volumes}} {{.Docker.Config.Healthcheck}}' \
  millrace:try

step "run"
container=$(in_storage from --pull-never millrace:try)
in_storage run --isolation chroot --env MILLRACE__HTTP__PORT=18080 \
  --env HEALTH_URL=http://127.0.0.1:18080/health/ready "$container" -- sh -euc '
  [ "$(id -u)" = 1000 ]
  ! touch /app/dist/cli/main.js /etc/millrace/millrace.yaml 2>/dev/null
  millrace --version
  millrace start --config /etc/millrace/millrace.yaml --port 0 --ws-port 0 &
  broker=$!
  tries=0
  until node /app/bin/health.mjs; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ]
    sleep 0.2
  done
  millrace queues ls --config /etc/millrace/millrace.yaml
  [ -d /data/store ]
  kill -TERM "$broker"
  wait "$broker"
'

step "simulator and worker"
in_storage bud --isolation chroot --format docker --pull-never "$@" \
  --build-arg "NODE_IMAGE=$base" --target examples --tag millrace-examples:try .
container=$(in_storage from --pull-never millrace-examples:try)
in_storage run --isolation chroot "$container" -- node /app/build/devices-sim/main.js --help
in_storage run --isolation chroot "$container" -- node --check /app/build/examples/worker-archive.js

step "the images work"
