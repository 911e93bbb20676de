"""Keys are made by the client: new ones sort by time, derived ones are the same on every retry."""

from functools import lru_cache
from typing import TypeAlias
from uuid import UUID

from uuid_utils.compat import uuid5, uuid7

#: A key of two UUIDs as the numbers that they are.
NumberKey: TypeAlias = tuple[int, int]

# The root of every derived id. Changing it would make each retry write a second row.
_NAMESPACE = UUID("6f0c5a3e-3d2b-5c44-9d0e-7a1f4b8e2c60")

# Checked input holds no NUL, so that no two lists of parts are joined to the same name.
_SEPARATOR = "\0"


def new_id() -> UUID:
    """Return a new UUID of version 7: unique, and later ones sort after earlier ones."""
    return uuid7()


def session_id_for(external_id: str, tenant: str = "") -> UUID:
    """Return the id of the session that the system of the caller, or of this tenant, calls `external_id`."""
    return uuid5(_NAMESPACE, f"{tenant}{_SEPARATOR}{external_id}" if tenant else external_id)


# A live segment is sent a dozen times.
@lru_cache(maxsize=4096)
def transcript_id_for(session_id: UUID, source: str, segment_key: str) -> UUID:
    """Return the id of the segment that `source` calls `segment_key` in this session."""
    return uuid5(session_id, f"transcript{_SEPARATOR}{source}{_SEPARATOR}{segment_key}")


def audio_file_id_for(session_id: UUID, sha256: str, start_time: float | None) -> UUID:
    """Return the id of a chunk of audio: the same bytes at the same time are the same chunk."""
    return uuid5(session_id, f"audio{_SEPARATOR}{sha256}{_SEPARATOR}{start_time}")


def number_key(session_id: UUID, row_id: UUID) -> NumberKey:
    """Return a key in the form that is quick to look up: the hash of a UUID is a call of Python's."""
    return session_id.int, row_id.int
