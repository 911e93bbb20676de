"""`distribute` where there is no cluster: it says what is missing, and changes nothing."""

import pytest
from helpers.stored import Program

from livetranslate_store import Store
from livetranslate_store.cli.__main__ import main
from livetranslate_store.schema.distribution import bring_back, plan_distribution


async def test_on_a_single_server_the_plan_names_the_extension_and_the_tables(owner_url: str) -> None:
    plan = await plan_distribution(owner_url)
    assert {each.part: each.state for each in plan.lines} == {
        "citus": "missing",
        "schema": "ok",
        "stores": "advised",
        "livetranslate.sessions": "moves",
        "livetranslate.audio_files": "moves",
        "livetranslate.speakers": "moves",
        "livetranslate.transcripts": "moves",
        "livetranslate.translations": "moves",
        "livetranslate.text_versions": "moves",
        "meanwhile": "ok",
    }


def test_the_command_fails_with_what_is_missing(owner_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distribute", "--yes", "--database", owner_url]) == 1
    assert "The tables cannot move yet. citus: " in capsys.readouterr().err


def test_without_tables_the_schema_is_missing_too(
    owner_url: str, other_program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    other_program.execute("DROP SCHEMA livetranslate CASCADE")
    other_program.commit()
    assert main(["distribute", "--database", owner_url]) == 1
    assert "run `livetranslate-store upgrade`" in capsys.readouterr().err


async def test_nothing_has_to_be_brought_back_from_a_single_server(owner_url: str) -> None:
    assert await bring_back(owner_url) == {}


def test_a_private_server_is_no_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distribute", "--database", "embedded:meetings"]) == 1
    assert "pass the URL of a coordinator" in capsys.readouterr().err


async def test_the_health_of_a_single_server_has_no_cluster_and_asks_for_none(store: Store) -> None:
    assert (await store.health()).cluster is None
    assert not any(name.startswith("cluster.") for name in store.statistics().statements)
