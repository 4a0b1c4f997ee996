"""Links and aliases, as gateways made them before they counted versions."""

from alembic import op
from sqlalchemy import Boolean, Column, String

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    op.create_table(
        "links",
        Column("provider", String(32), primary_key=True),
        Column("remote_id", String(200), primary_key=True),
        Column("anchor_provider", String(32), nullable=False),
        Column("anchor_remote_id", String(200), nullable=False),
        Column("gone", Boolean, nullable=False),
    )
    op.create_index("links_by_anchor", "links", ["anchor_provider", "anchor_remote_id"])
    op.create_table(
        "aliases",
        Column("provider", String(32), primary_key=True),
        Column("remote_id", String(200), primary_key=True),
        Column("new_remote_id", String(200), nullable=False),
    )
