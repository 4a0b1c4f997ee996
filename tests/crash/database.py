"""What the gateway's database holds, read from outside: after a kill, and at the end."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, select, text
from sqlalchemy.pool import NullPool

import gateway.store
from gateway.store.tables import LINKS, OPERATIONS, TARGETS

MIGRATIONS = Path(gateway.store.__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Share:
    provider: str
    remote_id: str | None
    outcome: str
    unknown_since: int | None


@dataclass(slots=True)
class Recorded:
    """An operation; `shares` are what it is at each provider."""

    id: str
    key: str
    owner: str | None
    finished: bool
    look_at: int | None
    looks: int
    has_intent: bool
    shares: list[Share] = field(default_factory=list)

    @property
    def process_id(self) -> int | None:
        """Of whoever works on it."""
        return int(self.owner.split("/")[2]) if self.owner else None


@dataclass(frozen=True)
class Outside:
    """A database seen from outside the gateway; an SQLite file is copied first, so that it is the gateway that
    repairs what a kill left behind."""

    url: str

    @property
    def is_file(self) -> bool:
        return self.url.startswith("sqlite")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with tempfile.TemporaryDirectory(prefix="crash-loop-") as folder:
            engine = create_engine(self._copy(Path(folder)) if self.is_file else make_url(self.url), poolclass=NullPool)
            with engine.connect() as connection:
                yield connection
            engine.dispose()

    def _copy(self, folder: Path) -> str:
        name = make_url(self.url).database
        assert name
        for suffix in ("", "-wal"):
            if Path(name + suffix).exists():
                shutil.copy(name + suffix, folder / f"copy.db{suffix}")
        return f"sqlite:///{folder}/copy.db"

    def complaints(self) -> list[str]:
        """What is wrong with the database itself: broken pages, tables that are not the newest."""
        found = []
        with self.reading() as connection:
            if self.is_file:
                rows = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
                found += [] if rows == ["ok"] else [f"integrity_check: {rows}"]
                found += [f"foreign_key_check: {row}" for row in connection.execute(text("PRAGMA foreign_key_check"))]
            versions = {str(row[0]) for row in connection.execute(text("SELECT version_num FROM alembic_version"))}
        newest = _newest()
        return found + ([] if versions == newest else [f"its tables are of version {versions}, not {newest}"])

    def operations(self) -> list[Recorded]:
        with self.reading() as connection:
            found = {
                row.id: Recorded(
                    row.id,
                    row.idempotency_key,
                    row.owner,
                    row.finished,
                    row.look_at,
                    row.looks,
                    row.intent is not None,
                )
                for row in connection.execute(select(OPERATIONS))
            }
            for row in connection.execute(select(TARGETS).order_by(TARGETS.c.position)):
                if row.operation_id in found:
                    share = Share(row.provider, row.remote_id, row.outcome, row.unknown_since)
                    found[row.operation_id].shares.append(share)
        return list(found.values())

    def families(self) -> list[frozenset[tuple[str, str]]]:
        """The records of each linked contact, as (provider, remote id)."""
        members: dict[tuple[str, str], set[tuple[str, str]]] = {}
        with self.reading() as connection:
            for row in connection.execute(select(LINKS)):
                anchor = (row.anchor_provider, row.anchor_remote_id)
                members.setdefault(anchor, set()).add((row.provider, row.remote_id))
        return [frozenset(family) for family in members.values()]


def _newest() -> set[str]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return set(ScriptDirectory.from_config(config).get_heads())
