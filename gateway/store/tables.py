"""The tables. How an older database comes to have them: gateway/store/migrations.

Times are whole milliseconds since 1970 (UTC): SQLite and PostgreSQL agree on nothing better.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, false

METADATA = MetaData()

_PROVIDER = String(32)
_REMOTE_ID = String(200)
_OPERATION_ID = String(36)
_OWNER = String(200)
_CALLER = String(80)

# A record and the anchor of the contact that it belongs to; a record on its own has no row.
LINKS = Table(
    "links",
    METADATA,
    Column("provider", _PROVIDER, primary_key=True),
    Column("remote_id", _REMOTE_ID, primary_key=True),
    Column("anchor_provider", _PROVIDER, nullable=False),
    Column("anchor_remote_id", _REMOTE_ID, nullable=False),
    # Deleted through this gateway: still leads to its contact, but appears in no list.
    Column("gone", Boolean, nullable=False, default=False),
    Index("links_by_anchor", "anchor_provider", "anchor_remote_id"),
)

# An id that its provider has replaced, and the one that took its place.
ALIASES = Table(
    "aliases",
    METADATA,
    Column("provider", _PROVIDER, primary_key=True),
    Column("remote_id", _REMOTE_ID, primary_key=True),
    Column("new_remote_id", _REMOTE_ID, nullable=False),
)

# A write over several providers, recorded before the first byte goes out.
OPERATIONS = Table(
    "operations",
    METADATA,
    Column("id", _OPERATION_ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("idempotency_key", String(255), unique=True),
    Column("fingerprint", String(64), nullable=False),
    # Whose it is. Its key is unique among those of the same caller: gateway/store/rows.py says how.
    Column("caller", _CALLER, nullable=False, server_default="anybody"),
    # What the caller asked for, as JSON; null once nothing of it can be needed any more.
    Column("intent", Text),
    Column("created_at", BigInteger, nullable=False),
    # The process that works on it, and until when that may be believed of one that cannot be asked.
    Column("owner", _OWNER),
    Column("lease_until", BigInteger),
    # Every target has an answer, and what was created is linked.
    Column("finished", Boolean, nullable=False, server_default=false()),
    # When the gateway is going to look for what is unknown, and how often it has.
    Column("look_at", BigInteger),
    Column("looks", Integer, nullable=False, server_default="0"),
    Index("operations_by_age", "created_at"),
    Index("operations_to_look_at", "look_at"),
    # The few that are not are asked for every second.
    Index("operations_by_end", "finished"),
)

# One provider's share of an operation. Its outcome is UNKNOWN from the first byte until the answer is in.
TARGETS = Table(
    "operation_targets",
    METADATA,
    Column("operation_id", _OPERATION_ID, ForeignKey(OPERATIONS.c.id), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("provider", _PROVIDER, nullable=False),
    Column("remote_id", _REMOTE_ID),
    Column("creates", Boolean, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("action", String(16)),
    Column("failure", Text),
    Column("warnings", Text, nullable=False, server_default="[]"),
    # The first time that it may have been sent; since when its outcome is unknown although nobody is at it.
    Column("sent_at", BigInteger),
    Column("unknown_since", BigInteger),
    # The record has been joined to the contact; somebody may have unlinked it since.
    Column("linked", Boolean, nullable=False, server_default=false()),
    # What a creation is recognised by, hashed: two with the same one could be taken for each other.
    Column("likeness", String(64)),
    Index("operation_targets_by_record", "provider", "remote_id"),
    Index("operation_targets_by_likeness", "provider", "likeness"),
)

# One writer at a time per name, over all processes on this database.
LOCKS = Table(
    "locks",
    METADATA,
    Column("name", String(300), primary_key=True),
    Column("owner", _OWNER, nullable=False),
    Column("until", BigInteger, nullable=False),
)

# Credentials of callers. The secret itself is known to its bearer alone.
API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
