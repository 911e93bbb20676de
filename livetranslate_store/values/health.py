"""What a probe finds: each part that a store needs, and what is wrong with it."""

from livetranslate_store.values.value import Value


class PartHealth(Value, frozen=True):
    """One part: `problem` says what is wrong, if anything is; `seconds` is how long it took to tell."""

    problem: str | None
    seconds: float

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None


class StoreHealth(Value, frozen=True):
    """All parts of a store, asked at the same time.

    `database` answers a statement, `migrations` are those that this version needs, `storage` takes an object
    and gives it up again, and `replicas` are all fresh enough to be read from.
    """

    database: PartHealth
    migrations: PartHealth
    storage: PartHealth
    replicas: PartHealth

    @property
    def is_healthy(self) -> bool:
        """Whether the store can work; without its replicas it does."""
        return self.database.is_healthy and self.migrations.is_healthy and self.storage.is_healthy

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by part."""
        parts: dict[str, PartHealth] = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: part.problem for name, part in parts.items() if part.problem is not None}
