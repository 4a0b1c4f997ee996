"""`gateway keys`: makes, lists and revokes API keys in the database of the settings."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from gateway.access.api_keys import REMEMBERED_SECONDS, new_key
from gateway.access.scopes import SCOPES
from gateway.clock import now_ms
from gateway.main import open_or_say_why
from gateway.settings import WrongSettings, read_gateway_settings
from gateway.store.keys import KeyStore, StoredKey

T = TypeVar("T")

keys = typer.Typer(name="keys", no_args_is_help=True, help="API keys of those who may call.")
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

_MAX_NAME_CHARACTERS = 100
_LENGTH_OF_TIME = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=3650)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, for the list.")],
    scope: Annotated[list[str], typer.Option(help="What it permits; may be given several times.")],
    expires: Annotated[str | None, typer.Option(help="After how long it ends, such as 90d, 12h or 30m.")] = None,
) -> None:
    """Makes a key and prints it, once: it cannot be shown again."""
    with _clear_errors():
        now = now_ms()
        made = new_key(_checked_name(name), _checked_scopes(scope), now=now, expires_at=_end(expires, now))
        _with_keys(lambda store: store.add(made.stored))
        out.print(made.text, markup=False, highlight=False)
        err.print("Keep it now: it cannot be shown again. Send it as `Authorization: Bearer <key>`.", markup=False)


@keys.command("list")
def list_keys() -> None:
    """Lists every key, revoked and expired ones too; no secret is kept that could be shown."""
    with _clear_errors():
        table = Table("id", "name", "scopes", "created", "expires", "state", box=None)
        for column in table.columns:
            # In a narrow terminal or a pipe too, an id stays one word that can be given to `revoke`.
            column.no_wrap, column.overflow = column.header == "id", "fold"
        now = now_ms()
        for key in _with_keys(lambda store: store.every()):
            ends = _moment(key.expires_at) if key.expires_at is not None else "never"
            scopes = " ".join(key.scopes)
            table.add_row(key.id, _plain(key.name), scopes, _moment(key.created_at), ends, _state(key, now))
        out.print(table)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key, as the list shows it.")],
) -> None:
    """Ends a key for good; running gateways take a few seconds to notice."""
    with _clear_errors():
        if not _with_keys(lambda store: store.revoke(key_id, now=now_ms())):
            raise WrongSettings("There is no key with this id; `gateway keys list` shows them.")
        out.print(f"Revoked; within {REMEMBERED_SECONDS:.0f} seconds no gateway on this database takes it any more.")


def _with_keys(work: Callable[[KeyStore], Awaitable[T]]) -> T:
    async def run() -> T:
        database = await open_or_say_why(read_gateway_settings().database_url)
        try:
            return await work(KeyStore(database))
        finally:
            await database.aclose()

    return asyncio.run(run())


@contextmanager
def _clear_errors() -> Iterator[None]:
    """What is wrong ends the command with one message."""
    try:
        yield
    except WrongSettings as error:
        err.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    except SQLAlchemyError:
        err.print("GATEWAY_DATABASE_URL: the database does not answer.", style="red", markup=False)
        raise typer.Exit(1) from None


def _checked_name(name: str) -> str:
    if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME_CHARACTERS:
        raise WrongSettings(f"NAME: give 1 to {_MAX_NAME_CHARACTERS} printable characters.")
    return name.strip()


def _checked_scopes(given: list[str]) -> tuple[str, ...]:
    if any(scope not in SCOPES for scope in given):
        raise WrongSettings(f"--scope: give one of {', '.join(SCOPES)}.")
    return tuple(dict.fromkeys(given))


def _end(given: str | None, now: int) -> int | None:
    if given is None:
        return None
    read = _LENGTH_OF_TIME.fullmatch(given.strip().lower())
    length = timedelta(**{_UNITS[read[2]]: int(read[1])}) if read else None
    if length is None or length > _LONGEST:
        raise WrongSettings("--expires: give a length of time such as 90d, 12h or 30m, at most 3650d.")
    return now + int(length.total_seconds() * 1000)


def _state(key: StoredKey, now: int) -> str:
    if key.revoked_at is not None:
        return f"revoked {_moment(key.revoked_at)}"
    return "valid" if key.is_valid(now) else "expired"


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _plain(text: str) -> str:
    """Brackets in a name are no markup."""
    return text.replace("[", "\\[")
