"""`livetranslate-store`: the command line."""

import logging
import os
import sys
from collections.abc import Sequence

from livetranslate_store.cli.app import run_app
from livetranslate_store.cli.hints import hint_for
from livetranslate_store.errors import InvalidInputError, StoreError

EXPLAINED = 1
WRONG_INPUT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    That is 0, 1 after an explained error, 2 for wrong usage or input, and 130 if interrupted.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        return run_app(arguments)
    except StoreError as error:
        # One line, for logs as for people.
        print(f"livetranslate-store: {_one_line(str(error))} {hint_for(error)}".rstrip(), file=sys.stderr)
        return WRONG_INPUT if isinstance(error, InvalidInputError) else EXPLAINED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _flush()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _flush() -> None:
    """Close a pipe without a reader, or the interpreter would complain at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
