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


class StoreHealth(Value, frozen=True):
    """All parts of a store, checked at the same time.

    `database` answers a statement, `migrations` are those that this version needs, `storage` takes an object,
    gives it up again, and is this database's, and `replicas` are all fresh enough to be read from.
    """

    database: PartHealth
    migrations: PartHealth
    storage: PartHealth
    replicas: PartHealth

    @property
    def is_healthy(self) -> bool:
        """Whether the store can work; it can without replicas."""
        return self.database.is_healthy and self.migrations.is_healthy and self.storage.is_healthy

    @property
    def problems(self) -> dict[str, str]:
        """The problems, by part."""
        parts: dict[str, PartHealth] = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: part.problem for name, part in parts.items() if part.problem is not None}
