"""The tests that say nothing about distributed tables, and why; on a cluster they are skipped."""

_OWN_SERVER = "it starts a server of its own"
_OWN_NODES = "it kills a server of its own; tests/cluster/test_cluster_faults.py kills nodes of a cluster"
_TRIGGER = "a cluster takes no triggers on distributed tables"
_PLAN = "it asks for the plan of a single server"
_SINGLE = "it asks what a single server answers; tests/cluster/test_distribute.py asks a cluster"
_NO_TEMPORARY = "an import makes no temporary tables on a cluster"
_STATEMENTS = "it names the statements of a single server"
_STATISTICS = "it reads what a single server counts of its tables"

#: A file, or a test in it with all its parameters.
DOES_NOT_APPLY = {
    "tests/integration/embedded": _OWN_SERVER,
    "tests/integration/test_distribution.py": _SINGLE,
    "tests/integration/test_schema_changes.py::test_a_missing_privilege_is_named_and_who_can_give_it": (
        _NO_TEMPORARY
    ),
    "tests/integration/test_replicas.py": _OWN_SERVER,
    "tests/integration/test_tenants_row_security.py": "row-level security is for a single server",
    "tests/integration/test_tenants_search.py": "it goes the ways of a single server's statement",
    "tests/integration/test_server_restarts.py": _OWN_SERVER,
    "tests/integration/test_live_rows.py": _STATISTICS,
    "tests/integration/test_unit_session.py::"
    "test_rows_that_wait_in_the_session_are_there_for_the_drivers_statements": _TRIGGER,
    "tests/integration/test_lost_races.py::test_a_late_translation_that_loses_its_race_is_judged_again": (
        "it comes in between two statements of a single server's dialect"
    ),
    "tests/integration/test_lost_races.py::"
    "test_a_race_that_is_lost_every_time_is_a_conflict_and_nothing_is_written": (
        "a merge in steps waits for the other transaction, and is judged by what that has stored"
    ),
    "tests/integration/test_group_commit.py::"
    "test_an_object_stays_where_an_answer_was_lost_and_the_caller_left": (
        "a write is a transaction there: if its connection breaks before the commit, it is not stored"
    ),
    "tests/integration/test_metrics.py::test_breakers_and_replicas_are_told_apart_by_label": (
        "a cluster has no replicas"
    ),
    "tests/integration/test_pool.py::"
    "test_a_lost_answer_is_not_forgotten_when_there_is_no_connection_to_repeat_the_write": (
        "it loses the answer of the one statement that a write is on a single server"
    ),
    "tests/integration/test_server_settings.py::"
    "test_a_disk_that_is_full_is_a_problem_until_a_write_succeeds": (
        "a full disk of one node is no problem of the database"
    ),
    "tests/integration/test_tracing.py::test_the_statement_of_a_group_is_in_the_trace_of_its_first_write": (
        "it names the one statement that a write is on a single server"
    ),
    "tests/integration/test_statement_times.py::"
    "test_every_way_of_writing_and_reading_counts_under_its_own_name": _STATEMENTS,
    "tests/integration/test_statement_times.py::test_failures_are_counted_and_a_cancellation_is_none": (
        _STATEMENTS
    ),
    "tests/acceptance/test_commands.py::test_check_tells_each_part_and_what_this_user_may_do": _SINGLE,
    "tests/acceptance/test_commands.py::test_check_knows_a_reader_and_an_owner": _SINGLE,
    "tests/faults/test_full_disk.py": _OWN_SERVER,
    "tests/faults/test_killed_server.py": _OWN_NODES,
    "tests/faults/test_promoted_standby.py": _OWN_SERVER,
    "tests/integration/test_search_pages.py::test_a_page_reads_an_index_and_no_more_than_it_must": _PLAN,
    "tests/integration/test_search_pages.py::test_drafts_are_read_by_their_own_index": _PLAN,
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
