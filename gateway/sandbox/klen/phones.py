"""How a Klen update changes the phones of a contact: by id, with several open questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.sandbox.exchange import Complaint, JsonObject
from gateway.sandbox.klen.contact import Phone
from gateway.sandbox.klen.rules import invalid
from gateway.sandbox.klen.switches import KlenSwitches


@dataclass(frozen=True, slots=True)
class PhoneWriter:
    """Makes a contact's new phones out of the old ones and the entries sent."""

    switches: KlenSwitches
    now: datetime
    new_id: Callable[[], int]

    def created(self, entries: list[JsonObject]) -> list[Phone]:
        phones = [self._written(Phone(self.new_id(), entry["phone_number"]), entry) for entry in entries]
        return _with_one_primary(phones, entries_flagged=_last_flagged(entries, phones), first_if_none=True)

    def updated(self, held: list[Phone], entries: list[JsonObject], *, removes_unlisted: bool) -> list[Phone]:
        """Raises: Refusal 400 for an id the contact does not have. `held` stays as it is."""
        listed = [self._entry_target(held, entry) for entry in entries]
        written = [self._written(phone, entry) for phone, entry in zip(listed, entries, strict=True)]
        by_id = {phone.id: phone for phone in written}
        kept = [by_id.pop(phone.id, phone) for phone in held if phone.id in by_id or not removes_unlisted]
        flagged = _last_flagged(entries, written)
        first_if_none = self.switches.update_flags_first_primary
        return _with_one_primary([*kept, *by_id.values()], entries_flagged=flagged, first_if_none=first_if_none)

    def _entry_target(self, held: list[Phone], entry: JsonObject) -> Phone:
        """The phone an entry is about: a held one by its id, or a new one."""
        if "id" in entry:
            found = next((phone for phone in held if phone.id == entry["id"]), None)
            if found is None:
                raise invalid(Complaint("phone_numbers", f"has no number with id {entry['id']}"))
            return found
        same = next((phone for phone in held if phone.phone_number == entry["phone_number"]), None)
        if same and self.switches.same_number_without_id == "matched":
            return same
        if same and self.switches.same_number_without_id == "refused":
            raise invalid(Complaint("phone_numbers", "already has this number"))
        return Phone(self.new_id(), entry["phone_number"])

    def _written(self, phone: Phone, entry: JsonObject) -> Phone:
        written = replace(phone, phone_number=entry["phone_number"])
        written.phone_type = entry.get("phone_type") or phone.phone_type or self.switches.default_phone_type
        written.primary = entry.get("primary", phone.primary)
        wanted = entry.get("do_not_call", phone.do_not_call)
        if phone.do_not_call and not wanted and self.switches.dnc_removal == "refused":
            raise invalid(Complaint("phone_numbers", "do_not_call cannot be removed"))
        if wanted and not phone.do_not_call:
            written.dnc_date = self.now if self.switches.dnc_date == "filled" else None
        elif not wanted:
            written.dnc_date, written.dnc_reason = None, None
        written.do_not_call = wanted
        return written


def _last_flagged(entries: list[JsonObject], phones: list[Phone]) -> int | None:
    """The id of the phone that the last entry with `primary: true` is about."""
    flagged = [phone.id for phone, entry in zip(phones, entries, strict=True) if entry.get("primary")]
    return flagged[-1] if flagged else None


def _with_one_primary(phones: list[Phone], *, entries_flagged: int | None, first_if_none: bool) -> list[Phone]:
    if entries_flagged is not None:
        return [replace(phone, primary=phone.id == entries_flagged) for phone in phones]
    if first_if_none and phones and not any(phone.primary for phone in phones):
        return [replace(phones[0], primary=True), *phones[1:]]
    return phones
