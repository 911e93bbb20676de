"""Recordings of the older system: files on disk, read only below the folder that the operator names."""

import hashlib
from pathlib import Path

from livetranslate_store.checks import MAX_AUDIO_BYTES
from livetranslate_store.errors import InvalidInputError

_NO_FOLDER = "its bytes were not looked for: no audio folder was named"


class AudioFolder:
    """The folder that recordings are read from; without one every recording is refused."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder.resolve()
        if self._folder is not None and not self._folder.is_dir():
            raise InvalidInputError(f"audio_folder {str(folder)!r} is not a folder.")

    def read(self, file_path: str | None, sha256: str | None) -> bytes:
        """Return the bytes of a recording after checking them against their SHA-256, if it is known.

        A relative path is taken below the folder; links are followed first, so that none leads out of it.
        Raises InvalidInputError that says why they are not to be had.
        """
        if self._folder is None:
            raise InvalidInputError(_NO_FOLDER)
        if not file_path:
            raise InvalidInputError("it has no file_path")
        try:
            path = (self._folder / file_path).resolve()
            if not path.is_relative_to(self._folder):
                raise InvalidInputError("its file_path leads out of the audio folder")
            if not path.is_file():
                raise InvalidInputError("its file does not exist")
            if path.stat().st_size > MAX_AUDIO_BYTES:
                raise InvalidInputError("its file is too large to be stored")
            data = path.read_bytes()
        except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError
            raise InvalidInputError(f"its file cannot be read: {type(error).__name__}") from error
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise InvalidInputError("the SHA-256 of its file is not file_hash")
        return data
