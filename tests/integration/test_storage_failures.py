"""Errors of a storage have kinds: away is transient; refused, not there and full say what to look at."""

import errno
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from livetranslate_store import StoreUnavailableError
from livetranslate_store.audio.failures import storage_failure
from livetranslate_store.audio.objects import Objects

AWAY = "it cannot be reached, or takes no calls now."
REFUSED = "it refuses the access: check audio_url, and the credentials in the environment."
NOT_THERE = "its bucket or folder does not exist: check audio_url."
FULL = "it is full."


class Answer(BaseHTTPRequestHandler):
    """Answers every call with one status."""

    status = 200

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    do_PUT = do_GET = do_HEAD = do_DELETE = do_POST = answer  # noqa: N815 (the names that the library looks for)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    objects = Objects("s3://bucket/audio", 1.0)
    yield objects
    objects.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "reason", "is_transient"),
    [
        (503, AWAY, True),
        (500, AWAY, True),
        (429, AWAY, True),
        (401, REFUSED, False),
        (403, REFUSED, False),
        (404, NOT_THERE, False),
        (507, FULL, False),
        (400, "it answers with the HTTP status 400.", False),
    ],
)
async def test_an_answer_of_an_object_store_says_its_kind(
    bucket: Objects, status: int, reason: str, is_transient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "status", status)

    async def written() -> None:
        await bucket.put("a/b/c", b"RIFF")

    async def listed() -> None:
        async for _ in bucket.list():
            pass

    for call in (written, listed):
        with pytest.raises(StoreUnavailableError) as raised:
            await call()
        # A busy store may use up the time with retries.
        assert str(raised.value) in (
            f"The audio storage cannot be {call.__name__}: {reason}",
            *(["The audio storage did not answer within 1 s."] if is_transient else []),
        )
        assert raised.value.is_transient == is_transient


@pytest.mark.parametrize(
    ("number", "reason", "is_transient"),
    [
        (errno.ENOSPC, FULL, False),
        (errno.EDQUOT, FULL, False),
        (errno.EACCES, REFUSED, False),
        (errno.EROFS, REFUSED, False),
        (errno.ENOENT, NOT_THERE, False),
        (errno.ESTALE, "Stale file handle.", True),
        (errno.EIO, "Input/output error.", False),
    ],
)
def test_an_error_of_the_file_system_says_its_kind(number: int, reason: str, is_transient: bool) -> None:
    failure = storage_failure(OSError(number, "message"), "written")
    assert str(failure) == f"The audio storage cannot be written: {reason}"
    assert failure.is_transient == is_transient
