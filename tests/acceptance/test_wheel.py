"""The wheel alone, installed as users install it: it brings its own migrations."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import url_of
from pytest_postgresql import factories

CHECKOUT = Path(__file__).resolve().parents[2]

empty = factories.postgresql("postgresql_empty")


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        cwd="/",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The programs of a new environment into which nothing but the wheel was installed."""
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, CHECKOUT)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "environment")
    programs = tmp_path / "environment" / "bin"
    run(programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    return programs


def test_a_plain_installation_has_the_command_line_and_says_what_the_demo_needs(
    installed: Path, empty: psycopg.Connection[Any]
) -> None:
    info = empty.info
    url = url_of(info.user, info.password or None, info.host, info.port, info.dbname)
    run(installed / "livetranslate-store", "upgrade", LIVETRANSLATE_DATABASE_URL=url)
    assert empty.execute("SELECT count(*) FROM livetranslate.transcripts").fetchone() == (0,)
    run(installed / "livetranslate-store", "sessions", LIVETRANSLATE_DATABASE_URL=url)
    refused = subprocess.run(
        [installed / "livetranslate-store", "demo"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "pip install 'livetranslate-store[embedded]'" in refused.stderr
    # The script of the roles and the types travel too.
    assert "CREATE ROLE livetranslate_reader" in run(installed / "livetranslate-store", "roles")
    typed = "from importlib.resources import files; print(files('livetranslate_store').joinpath('py.typed').exists())"  # noqa: E501 (a program)
    assert run(installed / "python", "-c", typed) == "True\n"
    page = "from importlib.resources import files; print(len(list(files('livetranslate_store.page').glob('page.*'))))"  # noqa: E501 (a program)
    assert run(installed / "python", "-c", page) == "2\n"
