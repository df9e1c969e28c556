"""What tests of the local Cloudflare's products share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack.local._store import Store
from inferstack.local.vectorize.state import Indexes


@pytest.fixture
def indexes(tmp_path: Path) -> Iterator[Indexes]:
    store = Store(tmp_path)
    indexes = Indexes(store)
    yield indexes
    indexes.close()
    store.close()
