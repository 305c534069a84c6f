"""`python -m agentkit.local.training.worker <home> <job id>`."""

from __future__ import annotations

import sys
from pathlib import Path

from agentkit.local.training.worker.working import work

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m agentkit.local.training.worker <home> <job id>")
    sys.exit(work(Path(sys.argv[1]), sys.argv[2]))
