"""${message}.

Bots write while this runs. Expand first, in a migration of its own: new tables, new columns that are NULL or
have a constant default, new indexes CONCURRENTLY (in an autocommit block, dropping an invalid one that a
failed run left), new constraints NOT VALID. Contract in a later release, when no running code needs the old
shape. A new table begins with session_id, and is distributed if the others are, as in 0003.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | Sequence[str] | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
