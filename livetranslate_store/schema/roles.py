"""The roles of least privilege, as SQL for the owner of the schema."""

from importlib.resources import files


def roles_script() -> str:
    """Return the SQL of `livetranslate_app`, which cannot change the schema, and `livetranslate_reader`."""
    return files(__package__).joinpath("roles.sql").read_text(encoding="utf-8")
