"""The end of a write over all its providers, as the caller is told."""

from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import ProviderFailure, WriteOutcome
from gateway.domain.exchange import Call
from gateway.domain.writes import WriteResult, WriteStatus, WriteWarning, status_of
from gateway.store.links import Family


class Written(Struct, frozen=True, kw_only=True):
    """One result per target, in the order in which they were named.

    `anchor` names the contact that the write leaves behind; None when nothing is known to exist. `family` is that
    contact as it was then; None where the database did not say.
    `link_error` is what kept the created records from being linked: they exist, each on its own.
    """

    operation_id: str
    results: tuple[WriteResult, ...]
    anchor: RecordKey | None
    family: Family | None = None
    link_error: SQLAlchemyError | None = None

    @property
    def status(self) -> WriteStatus:
        return status_of(self.results)


class Preview(Struct, frozen=True, kw_only=True):
    """What a write would send to one provider. `collisions` are records that it would collide with; a failure
    where looking for them failed, None where the provider cannot say."""

    provider: Provider
    key: RecordKey | None
    calls: tuple[Call, ...]
    warnings: tuple[WriteWarning, ...]
    collisions: tuple[RecordKey, ...] | ProviderFailure | None
    failure: ProviderFailure | None = None

    @property
    def outcome(self) -> WriteOutcome:
        return WriteOutcome.NOT_APPLIED


class Previewed(Struct, frozen=True, kw_only=True):
    """The end of a dry run. The id names nothing that is remembered."""

    operation_id: str
    results: tuple[Preview, ...]
    status: WriteStatus = WriteStatus.PREVIEWED
