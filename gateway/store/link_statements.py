"""The statements that look families up and link them."""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    bindparam,
    cast,
    false,
    insert,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import sqlite

from gateway.store.statements import Statement, sqlite_driver, translated
from gateway.store.tables import ALIASES, LINKS

# Fewer bound values in one statement than any database's limit.
CHUNK = 100

LINK = Statement(insert(LINKS), ("provider", "remote_id", "anchor_provider", "anchor_remote_id", "gone"))


def _related() -> CompoundSelect[Any]:
    """The ids that took the place of `keys` (without an anchor's provider), and all links of the contacts that `keys`
    or those ids belong to. One statement, so that they are of one moment."""
    keys: BindParameter[Any] = bindparam("keys", expanding=True)
    own, member = LINKS.alias("own"), LINKS.alias("member")
    replaced = select(
        ALIASES.c.provider,
        ALIASES.c.remote_id,
        cast(null(), LINKS.c.anchor_provider.type),
        ALIASES.c.new_remote_id,
        false(),
    ).where(tuple_(ALIASES.c.provider, ALIASES.c.remote_id).in_(keys))
    same_contact = (member.c.anchor_provider == own.c.anchor_provider) & (
        member.c.anchor_remote_id == own.c.anchor_remote_id
    )
    leads_to = (own.c.provider == ALIASES.c.provider) & (own.c.remote_id == ALIASES.c.new_remote_id)
    linked = select(member).join_from(own, member, same_contact)
    return union_all(
        replaced,
        linked.where(tuple_(own.c.provider, own.c.remote_id).in_(keys)),
        linked.join_from(own, ALIASES, leads_to).where(tuple_(ALIASES.c.provider, ALIASES.c.remote_id).in_(keys)),
    )


_RELATED = _related()


@lru_cache(maxsize=CHUNK)
def related_in_sqlite(count: int) -> str:
    """_RELATED for so many keys; it takes them three times."""
    statement = _RELATED.params(keys=[("", "")] * count)
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    return str(compiled)


def related_rows(connection: Connection, keys: Sequence[tuple[str, str]]) -> Sequence[Any]:
    """Those of _RELATED for up to CHUNK keys: provider and id of each."""
    driver = sqlite_driver(connection)
    if driver is None:
        return connection.execute(_RELATED, {"keys": keys}).all()
    parameters = [part for key in keys for part in key]
    try:
        return driver.execute(related_in_sqlite(len(keys)), parameters * 3).fetchall()
    except sqlite3.Error as error:
        raise translated(error) from error
