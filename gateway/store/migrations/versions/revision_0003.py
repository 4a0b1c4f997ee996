"""API keys, and whose an operation is; those of before belong to anybody."""

from alembic import op
from sqlalchemy import BigInteger, Column, String, Text

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.add_column("operations", Column("caller", String(80), nullable=False, server_default="anybody"))
    op.create_table(
        "api_keys",
        Column("id", String(16), primary_key=True),
        Column("name", String(100), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("scopes", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger),
        Column("revoked_at", BigInteger),
    )
