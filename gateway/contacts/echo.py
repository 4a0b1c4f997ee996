"""Holds what a provider stored against what was sent, and says what did not stick."""

from msgspec.structs import replace

from gateway.contacts.directory import Directory
from gateway.domain.contact import Record
from gateway.domain.echo import not_stored_warnings
from gateway.domain.writes import WriteResult


def echoed(directory: Directory, result: WriteResult, read_back: Record | None) -> WriteResult:
    """The result with a NOT_STORED warning for each field that the record, or else the answer to the write,
    shows to be another. What neither tells is not judged."""
    record = read_back or result.record
    if result.wanted is None or record is None:
        return result
    name = directory.capabilities(result.provider).display_name
    lost = not_stored_warnings(result.wanted, record, result.warnings, name)
    return replace(result, warnings=result.warnings + lost) if lost else result
