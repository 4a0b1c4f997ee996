"""The Gately endpoints beside the contact itself: unsubscribes, custom fields, tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.exchange import JsonObject, Received, Refusal, Reply
from gateway.sandbox.fields import Check, complaints_about, filled_text, read_object, summary, text
from gateway.sandbox.gately.contact import GatelyContact, Tag, UnsubscribeRecord
from gateway.sandbox.gately.rules import check_custom_fields
from gateway.sandbox.routes import Route

if TYPE_CHECKING:
    from gateway.sandbox.gately.simulator import GatelySimulator

_UNSUBSCRIBE: dict[str, Check] = {"reason": text, "source": text}
_TAG: dict[str, Check] = {"name": filled_text, "color": text}
_LINK: dict[str, Check] = {"contact_id": filled_text, "tag_id": filled_text}


class GatelySideRoutes:
    """Lists and segments answer empty, bulk import is left out: no connector needs them."""

    def __init__(self, simulator: GatelySimulator) -> None:
        self._simulator = simulator

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/contacts/lists", "list_lists", _nothing),
            Route("GET", "/contacts/segments", "list_segments", _nothing),
            Route("GET", "/contacts/tags", "list_tags", self._list_tags),
            Route("POST", "/contacts/tags", "create_tag", self._create_tag),
            Route("PUT", "/contacts/tags/{id}", "update_tag", self._update_tag),
            Route("DELETE", "/contacts/tags/{id}", "delete_tag", self._delete_tag),
            Route("POST", "/contacts/contact-tags", "attach_tag", self._attach_tag),
            Route("DELETE", "/contacts/contact-tags", "detach_tag", self._detach_tag),
            Route("POST", "/contacts/bulk-import", "bulk_import", _not_simulated),
            Route("GET", "/contacts/{id}/unsubscribes", "read_unsubscribes", self._read_unsubscribes),
            Route("POST", "/contacts/{id}/unsubscribes", "unsubscribe", self._unsubscribe),
            Route("DELETE", "/contacts/{id}/unsubscribes", "resubscribe", self._resubscribe),
            Route("GET", "/contacts/{id}/custom-fields", "read_custom_fields", self._read_custom_fields),
            Route("PATCH", "/contacts/{id}/custom-fields", "merge_custom_fields", self._merge_custom_fields),
        )

    def _contact(self, contact_id: str) -> GatelyContact:
        return self._simulator.book.get(contact_id, self._simulator.switches)

    def _checked(self, received: Received, checks: dict[str, Check], *required: str) -> JsonObject:
        body = read_object(received)
        switches = self._simulator.switches
        found = complaints_about(body, checks, required=required, nullable=checks, unknown=switches.unknown_fields)
        if found:
            raise Refusal(switches.validation_status, summary(found), complaints=found)
        return body

    def _read_unsubscribes(self, received: Received, contact_id: str) -> Reply:
        contact = self._contact(contact_id)
        view = self._simulator.view
        return Reply.json(200, [view.unsubscribe(contact, record) for record in contact.unsubscribes])

    def _unsubscribe(self, received: Received, contact_id: str) -> Reply:
        contact = self._contact(contact_id)
        # Both fields are optional, so a request without any body is one too.
        body = self._checked(received, _UNSUBSCRIBE) if received.body else {}
        now = self._simulator.clock()
        record_id = self._simulator.book.new_id("unsubscribe")
        record = UnsubscribeRecord(record_id, body.get("reason"), body.get("source"), now)
        contact.unsubscribes.append(record)
        contact.unsubscribed = True
        contact.updated_at = now
        return Reply.json(self._simulator.switches.create_status, self._simulator.view.unsubscribe(contact, record))

    def _resubscribe(self, received: Received, contact_id: str) -> Reply:
        contact = self._contact(contact_id)
        contact.unsubscribes.clear()
        contact.unsubscribed = False
        contact.updated_at = self._simulator.clock()
        return Reply.json(200, {"message": "Contact resubscribed successfully"})

    def _read_custom_fields(self, received: Received, contact_id: str) -> Reply:
        self._refuse_absent_endpoint()
        return Reply.json(200, self._contact(contact_id).custom_fields)

    def _merge_custom_fields(self, received: Received, contact_id: str) -> Reply:
        self._refuse_absent_endpoint()
        contact = self._contact(contact_id)
        contact.custom_fields |= check_custom_fields(read_object(received), self._simulator.switches)
        contact.updated_at = self._simulator.clock()
        return Reply.json(200, contact.custom_fields)

    def _refuse_absent_endpoint(self) -> None:
        if self._simulator.switches.custom_fields_endpoint != "present":
            raise Refusal(int(self._simulator.switches.custom_fields_endpoint), "No such endpoint")

    def _tag(self, tag_id: str) -> Tag:
        if tag := self._simulator.book.tags.get(tag_id):
            return tag
        raise Refusal(404, "Tag not found")

    def _list_tags(self, received: Received, _: str) -> Reply:
        return Reply.json(200, [self._simulator.view.tag(tag) for tag in self._simulator.book.tags.values()])

    def _create_tag(self, received: Received, _: str) -> Reply:
        body = self._checked(received, _TAG, "name")
        simulator = self._simulator
        if simulator.book.find_tag(body["name"], simulator.switches):
            raise Refusal(simulator.switches.duplicate_status, "A tag with this name already exists")
        tag = simulator.book.tag_named(body["name"], simulator.switches, simulator.clock())
        tag.color = body.get("color")
        return Reply.json(simulator.switches.create_status, simulator.view.tag(tag))

    def _update_tag(self, received: Received, tag_id: str) -> Reply:
        tag = self._tag(tag_id)
        body = self._checked(received, _TAG)
        tag.name = body.get("name") or tag.name
        tag.color = body.get("color", tag.color)
        return Reply.json(200, self._simulator.view.tag(tag))

    def _delete_tag(self, received: Received, tag_id: str) -> Reply:
        del self._simulator.book.tags[self._tag(tag_id).id]
        for contact in self._simulator.contacts.values():
            contact.tags = [held for held in contact.tags if held != tag_id]
        return Reply.json(200, {"message": "Tag deleted successfully"})

    def _attach_tag(self, received: Received, _: str) -> Reply:
        body = self._checked(received, _LINK, "contact_id", "tag_id")
        contact, tag = self._contact(body["contact_id"]), self._tag(body["tag_id"])
        contact.tags = list(dict.fromkeys((*contact.tags, tag.id)))
        return Reply.json(200, {"contact_id": contact.id, "tag_id": tag.id})

    def _detach_tag(self, received: Received, _: str) -> Reply:
        contact = self._contact(received.query.get("contact_id", ""))
        tag = self._tag(received.query.get("tag_id", ""))
        contact.tags = [held for held in contact.tags if held != tag.id]
        return Reply.json(200, {"message": "Tag removed from contact"})


def _nothing(received: Received, _: str) -> Reply:
    return Reply.json(200, [])


def _not_simulated(received: Received, _: str) -> Reply:
    raise Refusal(501, "The sandbox does not simulate this endpoint")
