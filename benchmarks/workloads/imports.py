"""What it costs before anything is done: imports."""

from __future__ import annotations

from benchmarks.workloads.workload import Metric, Size, Workload

__all__ = ["IMPORTS", "OVER_BARE", "probe"]

OVER_BARE = ("cpu_s", "modules")
"""Metrics from which those of a Python that runs nothing are subtracted."""

_CONTENDERS = ("agentkit", "openai-agents", "openai")


_PROBE = """
import sys, time
cpu_s, modules = time.process_time(), len(sys.modules)
try:
    lines = [line.split() for line in open("/proc/self/status")]
    peak_mb = next(int(line[1]) for line in lines if line[0] == "VmHWM:") / 1024
except OSError:
    import resource
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print('{"cpu_s": %r, "modules": %d, "peak_mb": %r}' % (cpu_s, modules, peak_mb))
"""


def probe(code: str) -> str:
    """Return a program that runs `code` and prints what this took, as JSON. It imports nothing that weighs."""
    return code + _PROBE


IMPORTS = (
    Workload(
        name="import",
        metrics=(
            Metric("cpu_s", "import, CPU s over bare Python"),
            Metric("modules", "import, modules loaded over bare Python"),
            Metric("peak_mb", "import, peak RSS MB"),
        ),
        contenders=_CONTENDERS,
        measure=None,
        size=Size(),
        code="imports",
    ),
    Workload(
        name="first-use",
        metrics=(
            Metric("cpu_s", "import, define an agent with a tool, CPU s over bare Python"),
            Metric("modules", "the same, modules loaded over bare Python"),
            Metric("peak_mb", "the same, peak RSS MB"),
        ),
        contenders=_CONTENDERS,
        measure=None,
        size=Size(),
        code="first_use",
    ),
)
