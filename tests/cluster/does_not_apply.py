"""The tests that say nothing about distributed tables, and why; on a cluster they are skipped."""

_OWN_SERVER = "it starts a server of its own"
_PLAN = "it asks for the plan of a single server"
_STATISTICS = "it reads what a single server counts of its tables"

#: A file, or a test in it with all its parameters.
DOES_NOT_APPLY = {
    "tests/integration/embedded": _OWN_SERVER,
    "tests/integration/test_replicas.py": _OWN_SERVER,
    "tests/integration/test_server_restarts.py": _OWN_SERVER,
    "tests/integration/test_live_rows.py": _STATISTICS,
}


def reason_to_skip(nodeid: str) -> str | None:
    """Return why the test of this node id is skipped on a cluster, None if it is not."""
    test = nodeid.partition("[")[0]
    return next(
        (
            why
            for place, why in DOES_NOT_APPLY.items()
            if test == place or test.startswith((f"{place}/", f"{place}::"))
        ),
        None,
    )
