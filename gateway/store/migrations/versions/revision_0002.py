"""Operations with their targets, and locks."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Text, false

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    _create_operations()
    _create_targets()
    op.create_table(
        "locks",
        Column("name", String(300), primary_key=True),
        Column("owner", String(200), nullable=False),
        Column("until", BigInteger, nullable=False),
    )


def _create_operations() -> None:
    op.create_table(
        "operations",
        Column("id", String(36), primary_key=True),
        Column("kind", String(16), nullable=False),
        Column("idempotency_key", String(255), unique=True),
        Column("fingerprint", String(64), nullable=False),
        Column("intent", Text),
        Column("created_at", BigInteger, nullable=False),
        Column("owner", String(200)),
        Column("lease_until", BigInteger),
        Column("finished", Boolean, nullable=False, server_default=false()),
        Column("look_at", BigInteger),
        Column("looks", Integer, nullable=False, server_default="0"),
    )
    op.create_index("operations_by_age", "operations", ["created_at"])
    op.create_index("operations_to_look_at", "operations", ["look_at"])
    op.create_index("operations_by_end", "operations", ["finished"])


def _create_targets() -> None:
    op.create_table(
        "operation_targets",
        Column("operation_id", String(36), ForeignKey("operations.id"), primary_key=True),
        Column("position", Integer, primary_key=True),
        Column("provider", String(32), nullable=False),
        Column("remote_id", String(200)),
        Column("creates", Boolean, nullable=False),
        Column("outcome", String(16), nullable=False),
        Column("action", String(16)),
        Column("failure", Text),
        Column("warnings", Text, nullable=False, server_default="[]"),
        Column("sent_at", BigInteger),
        Column("unknown_since", BigInteger),
        Column("linked", Boolean, nullable=False, server_default=false()),
        Column("likeness", String(64)),
    )
    op.create_index("operation_targets_by_record", "operation_targets", ["provider", "remote_id"])
    op.create_index("operation_targets_by_likeness", "operation_targets", ["provider", "likeness"])
