"""The live service, started once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.mono import WHY_NOT, MonoService, is_installed


@pytest.fixture(scope="session")
def mono(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MonoService]:
    """The service on Mono; tests share it, and so use jobs and domains of their own."""
    if not is_installed():
        pytest.skip(WHY_NOT)
    service = MonoService(Path(tmp_path_factory.mktemp("mono")))
    service.build()
    with service:
        yield service
