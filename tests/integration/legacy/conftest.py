"""An older database, and a folder of its recordings."""

from pathlib import Path

import pytest
from conftest import url_of
from helpers.older_system import (
    make_schema,
)
from helpers.stored import Program
from pytest_postgresql import factories

older_database = factories.postgresql("postgresql_empty")


@pytest.fixture
def older(older_database: Program) -> Program:
    make_schema(older_database)
    return older_database


@pytest.fixture
def url(older: Program) -> str:
    info = older.info
    return url_of(info.user, info.password or None, info.host, info.port, info.dbname)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder
