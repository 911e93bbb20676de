"""What the operations page says about a cluster, tried from the first line to the last."""

import shlex
from typing import Any

import pytest
from conftest import url_of
from helpers.blocks import ROOT, Block, blocks_of
from helpers.clusters import Cluster

from livetranslate_store.cli.__main__ import main

PAGE = ROOT / "docs" / "operations.md"


def blocks(language: str, containing: str) -> list[str]:
    """Return the lines of the blocks in a language that contain a word."""
    found: list[Block] = [
        each for each in blocks_of(PAGE) if each.language == language and containing in each.text
    ]
    return [line for each in found for line in each.text.splitlines()]


@pytest.fixture
def empty(cluster: Cluster) -> Any:
    """The name of a database on all nodes with nothing in it."""
    with cluster.database("livetranslate_page_test") as name:
        yield name


def test_a_cluster_is_set_up_used_and_left_as_the_page_says(
    cluster: Cluster, empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    coordinator, *workers = cluster.nodes
    extension, host, worker = blocks("sql", "citus_add_node")
    for node in cluster.nodes:
        with node.connect(empty) as connection:
            connection.execute(extension.encode())
    with coordinator.connect(empty) as connection:
        connection.execute(place(host, "coordinator", coordinator.host, coordinator.port))
        for each in workers:
            connection.execute(place(worker, "worker-1", each.host, each.port))

    user = cluster.coordinator
    monkeypatch.setenv(
        "LIVETRANSLATE_DATABASE_URL", url_of(user.user, user.password, user.host, user.port, empty)
    )
    said = []
    for line in blocks("sh", "store distribute"):
        words = shlex.split(line, comments=True)[1:]
        assert main(words) == 0
        said.append(capsys.readouterr().out)
        if words[0] == "distribute":
            assert main([*words, "--yes"]) == 0
            capsys.readouterr()
    _, plan, check, back = said
    assert "livetranslate.sessions\tmoves\t" in plan
    assert "cluster\tok\t" in check
    assert "livetranslate.sessions\tmoves\t" in back


def place(line: str, name: str, host: str, port: int) -> bytes:
    """Return a line of the page with the address of a node of this run."""
    return line.replace(f"'{name}', 5432", f"'{host}', {port}").encode()
