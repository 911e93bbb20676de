"""Runs the tests over every Python, SQLAlchemy and PostgreSQL that is promised, and prints a table.

Each pair of Python and SQLAlchemy has an environment of its own in `.matrix`; what is not found on this
machine is said to be missing, and a failure makes the exit code 1.
"""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
SQLALCHEMIES = {"2.0.58": "sqlalchemy[asyncio]==2.0.58", "newest 2.1": "sqlalchemy[asyncio]>=2.1,<2.2"}
EMBEDDED = "18 (embedded)"
# The embedded server is a subject of its own there, and installing the wheel once is enough.
ELSEWHERE = ["--ignore=tests/integration/embedded", "--ignore=tests/acceptance/test_wheel.py"]


def find_python(version: str) -> str | None:
    """Return a Python of that version that runs: on the PATH, or one that pyenv keeps."""
    candidates = [shutil.which(f"python{version}")]
    candidates += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))
    for candidate in filter(None, candidates):
        done = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
        if done.stdout.startswith(f"Python {version}."):
            return candidate
    return None


def environment(version: str, python: str, name: str, requirement: str) -> Path:
    """Return the Python of an environment with everything installed."""
    folder = CHECKOUT / ".matrix" / f"{version}-{name.replace(' ', '-')}"
    program = folder / "bin" / "python"
    if not program.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    install: list[str | Path] = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--editable", f"{CHECKOUT}[dev]", requirement], check=True)
    return program


@contextmanager
def server_on_path() -> Iterator[tuple[str, str] | None]:
    """Start the PostgreSQL on the PATH; yields its version and URL, or None where there is none."""
    initdb, postgres = shutil.which("initdb"), shutil.which("postgres")
    if initdb is None or postgres is None:
        yield None
        return
    found = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
    folder = Path(tempfile.mkdtemp(prefix="livetranslate-matrix-"))
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user, -1)
    data = folder / "data"
    log = (folder / "log").open("wb")
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run([initdb, "-D", data, *options], check=True, stdout=log, user=user, cwd="/")
    server = subprocess.Popen(
        [postgres, "-D", data, "-k", folder, "-c", "listen_addresses="],
        stdout=log,
        stderr=log,
        user=user,
        cwd="/",
    )
    deadline = time.monotonic() + 30
    while not (folder / ".s.PGSQL.5432").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        version = re.search(r"\d+", found)
        yield (version.group() if version else found), f"postgresql://postgres@/postgres?host={folder}"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def run(python: Path, url: str | None) -> str:
    """Run the tests and return their closing line."""
    variables = dict(os.environ)
    options = ["-q", "-n", "auto"]
    if url is not None:
        variables["LIVETRANSLATE_TEST_DATABASE_URL"] = url
        options += ELSEWHERE
    done = subprocess.run(
        [python, "-m", "pytest", *options],
        cwd=CHECKOUT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout[-5000:], done.stderr[-2000:])
    lines = done.stdout.strip().splitlines() or [done.stderr.strip()[-80:]]
    return f"{'passed' if done.returncode == 0 else 'FAILED'}: {lines[-1]}"


def main() -> int:
    """Run the whole matrix; returns the exit code."""
    rows: list[tuple[str, str, str, str]] = []
    with server_on_path() as other:
        servers = [(EMBEDDED, None), *([(f"{other[0]} (on the PATH)", other[1])] if other else [])]
        for version in PYTHONS:
            python = find_python(version)
            if python is None:
                rows.append((version, "", "", "missing"))
                continue
            for name, requirement in SQLALCHEMIES.items():
                program = environment(version, python, name, requirement)
                for server, url in servers:
                    rows.append((version, name, server, run(program, url)))
                    print("  ".join(rows[-1]), flush=True)
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    print("\nPython, SQLAlchemy, PostgreSQL")
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))
    return int(any(row[3].startswith("FAILED") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
