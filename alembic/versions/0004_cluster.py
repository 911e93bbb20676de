"""A cluster: the position of a write on the node that stores it.

On a cluster the numbers of transactions count on each node, and only what depends on a row is computed there.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the function of positions."""
    # Not immutable in truth. Citus would refuse any other in RETURNING, and computes this one for the `xmin` of
    # a row that the running transaction wrote.
    op.execute(
        """
        CREATE FUNCTION livetranslate.write_position(written xid) RETURNS bigint
        LANGUAGE sql IMMUTABLE STRICT PARALLEL UNSAFE
        AS 'SELECT pg_catalog.pg_current_xact_id()::text::bigint'
        """
    )


def downgrade() -> None:
    """Remove it."""
    op.execute("DROP FUNCTION livetranslate.write_position(xid)")
