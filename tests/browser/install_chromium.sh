#!/usr/bin/env bash
# Makes sure that there is a Chromium for the browser tests. $1: the Python that has Playwright.
# The system's own comes first: Playwright's build is a download of its own that not every network lets through.
set -euo pipefail
python=$1

found() { "$python" -c 'from agentkit.testing.browser import find_chromium; print(find_chromium())' 2>/dev/null; }

found && exit 0

sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo -n)
if command -v apt-get >/dev/null && "${sudo[@]}" true 2>/dev/null; then
  echo "Installing Debian's chromium"
  export DEBIAN_FRONTEND=noninteractive
  "${sudo[@]}" apt-get -qq update && "${sudo[@]}" apt-get -qq install -y --no-install-recommends chromium >/dev/null || true
  found && exit 0
fi

echo "Installing Playwright's Chromium"
"$python" -m playwright install chromium
found
