"""`livetranslate-store`: the command line."""

import logging
import os
import sys
from collections.abc import Sequence

from livetranslate_store.cli.app import run_app
from livetranslate_store.cli.hints import hint_for
from livetranslate_store.errors import StoreError

EXPLAINED = 1
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, 1 after an explained error, 2 for wrong usage, 130 if interrupted."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        return run_app(arguments)
    except StoreError as error:
        # One line, for logs as for people.
        print(f"livetranslate-store: {_one_line(str(error))} {hint_for(error)}".rstrip(), file=sys.stderr)
        return EXPLAINED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _flush()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _flush() -> None:
    """Let go of a pipe that nobody reads any more, which would complain when the interpreter ends."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
