"""Every test in this folder needs a cluster."""

import pytest
from helpers.clusters import Cluster


@pytest.fixture(autouse=True)
def on_a_cluster(cluster: Cluster) -> None:
    """Skip the test on a single server, with a reason that says what is missing."""
