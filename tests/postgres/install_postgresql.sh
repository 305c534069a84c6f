#!/usr/bin/env bash
# Makes sure that there is a PostgreSQL server's program for the tests in this folder. Debian's package where it is missing.
set -euo pipefail

found() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

found && exit 0

sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo -n)
if command -v apt-get >/dev/null && "${sudo[@]}" true 2>/dev/null; then
  echo "Installing Debian's postgresql"
  export DEBIAN_FRONTEND=noninteractive
  "${sudo[@]}" apt-get -qq update && "${sudo[@]}" apt-get -qq install -y --no-install-recommends postgresql >/dev/null || true
fi
found || echo "No PostgreSQL here: its tests are skipped, or fail where CI is set." >&2
