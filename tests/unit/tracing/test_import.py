from __future__ import annotations

import subprocess
import sys


def test_importing_and_looking_at_tracing_loads_nothing_heavy() -> None:
    program = (
        "import sys, agentkit.tracing as t; dir(t); t.gen_trace_id(); t.custom_span\n"
        "heavy = {'sqlite3', 'pandas', 'numpy', 'pydantic_core', 'pydantic', 'logging', 'threading', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    import agentkit.tracing as package

    assert package.__all__ == sorted(package.__all__)
    assert [name for name in package.__all__ if not hasattr(package, name)] == []
    assert set(package.__all__) <= set(dir(package))
    assert not hasattr(package, "no_such_name")
