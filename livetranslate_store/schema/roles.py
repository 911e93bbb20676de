"""The roles of least privilege, as SQL for the owner of the schema."""

from importlib.resources import files


def roles_script() -> str:
    """Return the SQL of `livetranslate_app`, which cannot change the schema, and `livetranslate_reader`."""
    return _script("roles.sql")


def tenants_script() -> str:
    """Return the SQL of `livetranslate_tenant`, whose logins see one tenant each by row-level security."""
    return _script("tenants.sql")


def _script(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
