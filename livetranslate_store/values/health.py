"""The health of a store, part by part."""

from livetranslate_store.values.value import Value


class PartHealth(Value, frozen=True):
    """One part: `problem` says what is wrong, None if nothing is; `seconds` is the time of the check."""

    problem: str | None
    seconds: float

    @property
    def is_healthy(self) -> bool:
        """Whether the part has no problem."""
        return self.problem is None


class NodeHealth(Value, frozen=True):
    """A node of a cluster: `host:port`, its shards of sessions, and what is wrong, None if nothing is."""

    name: str
    is_coordinator: bool
    shards: int
    problem: str | None


class ClusterHealth(PartHealth, frozen=True):
    """A cluster: `nodes`, the coordinator first, empty if it did not answer in time.

    `leftovers` are parts of moved shards, which the cluster removes by itself.
    """

    nodes: tuple[NodeHealth, ...] = ()
    leftovers: int = 0


class StoreHealth(Value, frozen=True):
    """All parts of a store, checked at the same time.

    `database` answers a statement, `migrations` are those that this version needs, `storage` takes an object,
    gives it up again, and is this database's, and `replicas` are all fresh enough to be read from. Whose the
    storage is, and `cluster`, are checked once the first three are healthy: `cluster` is None until then, and
    unless the tables are distributed.
    """

    database: PartHealth
    migrations: PartHealth
    storage: PartHealth
    replicas: PartHealth
    cluster: ClusterHealth | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether the store can work; it can without replicas, and without some nodes of a cluster."""
        return self.database.is_healthy and self.migrations.is_healthy and self.storage.is_healthy

    @property
    def problems(self) -> dict[str, str]:
        """The problems, by part."""
        return {name: part.problem for name, part in self.parts.items() if part.problem is not None}

    @property
    def parts(self) -> dict[str, PartHealth]:
        """All parts by name; the cluster only if there is one."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: part for name, part in found.items() if part is not None}
