"""The calls that a write to Gately takes, as data: what a dry run shows is what is sent; pure."""

from dataclasses import dataclass
from urllib.parse import quote

from gateway.connectors.base import Planned, Prepared
from gateway.connectors.gately import mapping
from gateway.domain.changes import Patch
from gateway.domain.contact import JsonObject, Record
from gateway.domain.exchange import Call, CallKind
from gateway.domain.writes import WriteWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCalls:
    """Up to three calls, sent in the order of these fields, because the first is the one that Gately may refuse.

    `merge` goes to the endpoint that merges custom fields. `stored` is the record as it was, where it was read.
    """

    fields: Call | None
    merge: Call | None
    consent: Call | None
    stored: Record | None
    warnings: tuple[WriteWarning, ...]

    @property
    def prepared(self) -> Prepared:
        calls = tuple(call for call in (self.fields, self.merge, self.consent) if call)
        return Prepared(calls=calls, warnings=self.warnings)


def contact_path(remote_id: str) -> str:
    return f"/contacts/{quote(remote_id, safe='')}"


def creation(planned: Planned) -> Call:
    return Call("POST", "/contacts", planned.body, kind=CallKind.CREATE)


def update_calls(remote_id: str, patch: Patch, stored: Record | None) -> UpdateCalls:
    """`stored` is the record as it is now, given when mapping.needs_stored asks for it."""
    planned = mapping.from_patch(patch, stored)
    return UpdateCalls(
        fields=fields_call(remote_id, planned.body) if planned.body else None,
        merge=_merge_call(remote_id, patch) if stored is None else None,
        consent=_consent_call(remote_id, patch),
        stored=stored,
        warnings=planned.warnings,
    )


def fields_call(remote_id: str, body: JsonObject) -> Call:
    return Call("PATCH", contact_path(remote_id), body, kind=CallKind.UPDATE)


def _merge_call(remote_id: str, patch: Patch) -> Call | None:
    if not mapping.merges_custom_fields(patch):
        return None
    values = patch.custom_fields.values  # type: ignore[union-attr] # merges_custom_fields has seen them
    return Call("PATCH", f"{contact_path(remote_id)}/custom-fields", values, kind=CallKind.UPDATE)


def _consent_call(remote_id: str, patch: Patch) -> Call | None:
    if not isinstance(patch.unsubscribed, bool):
        return None
    path = f"{contact_path(remote_id)}/unsubscribes"
    if patch.unsubscribed:
        return Call("POST", path, {}, kind=CallKind.UPDATE)
    return Call("DELETE", path, kind=CallKind.UPDATE)
