#!/usr/bin/env bash
# Install the programs that tests/receivers sends traces to, each in an environment of its own (3 GB).
# The versions are those that docs/exporting-traces.md names.
set -euo pipefail
folder="${AGENTKIT_RECEIVERS:-$(dirname "$0")/../../.venv-receivers}"
python="${PYTHON:-python3}"
for each in mlflow==3.17.2 arize-phoenix==20.26.1; do
  name="${each%%==*}"; name="${name#arize-}"
  "$python" -m venv "$folder/$name"
  "$folder/$name/bin/python" -m pip --disable-pip-version-check install -q "$each"
done
