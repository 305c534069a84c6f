"""The embedded engine does what every storage does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("storage_contract")

from storage_contract import Opened, StorageContract  # noqa: E402

from agentkit.local.vector_stores.embedded import EmbeddedStorage  # noqa: E402


class TestEmbeddedContract(StorageContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Iterator[Opened]:
        made: list[EmbeddedStorage] = []

        def open_another() -> EmbeddedStorage:
            made.append(EmbeddedStorage(tmp_path))
            return made[-1]

        yield open_another
        for storage in made:
            storage.close()
