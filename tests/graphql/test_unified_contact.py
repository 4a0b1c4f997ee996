"""One contact out of three records: precedence, union, and null told apart from empty (design sections 3 and 5)."""

from collections.abc import Callable

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import DO_NOT_CALL_KLEN_ID, MANY_EMAILS_COMETLY_ID, NO_EMAIL_COMETLY_IDS
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, KLEN_ID, contact_id

FIELDS = """
  name firstName lastName
  emails { address normalized primary }
  phones { number e164 type primary doNotCall }
  addresses { street street2 city state postalCode country formatted primary }
  company website status stage tags notes customFields unsubscribed externalId
  createdAt updatedAt lastContactedAt
"""
# Do-not-call marks of the unified contact have a test of their own.
WHOLE = f"query($id: ID!) {{ contact(id: $id) {{ {FIELDS.replace(' doNotCall', '')} }} }}"
RECORDS = f"query($id: ID!) {{ contact(id: $id) {{ records {{ provider providerStatus {FIELDS} }} }} }}"

GATELY_ADDRESS = {
    "street": "12 Cedar Street",
    "street2": None,
    "city": "Boston",
    "state": "MA",
    "postalCode": "02108",
    "country": "US",
    "formatted": "12 Cedar Street, Boston, MA, 02108, US",
    "primary": True,
}
ONE_LINE_ADDRESS = {
    **dict.fromkeys(("street", "street2", "city", "state", "postalCode", "country")),
    "formatted": "Boston, US",
    "primary": False,
}
WORK_EMAIL = {
    "address": "ada.winter@northwind.example",
    "normalized": "ada.winter@northwind.example",
    "primary": True,
}
PRIVATE_EMAIL = {"address": "ada@winter.test", "normalized": "ada@winter.test", "primary": False}


def phone(number: str, type: str, *, primary: bool = False, do_not_call: bool | None = None) -> dict[str, object]:
    return {
        "number": number,
        "e164": "+" + "".join(sign for sign in number if sign.isdigit()),
        "type": type,
        "primary": primary,
        "doNotCall": do_not_call,
    }


def unmarked(phone: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in phone.items() if name != "doNotCall"}


def test_three_records_make_one_contact(gateway: Gateway, ada: str) -> None:
    """Gately first, then Klen, then Cometly; lists united by what their items mean."""
    assert gateway.data(WHOLE, id=ada)["contact"] == {
        "name": "Ada Winter",
        "firstName": "Ada",
        "lastName": "Winter",
        "emails": [WORK_EMAIL, PRIVATE_EMAIL],
        "phones": [
            unmarked(phone("+1617 555 0101", "OTHER", primary=True)),
            unmarked(phone("+447700900101", "MOBILE")),
        ],
        "addresses": [GATELY_ADDRESS, ONE_LINE_ADDRESS],
        "company": "Northwind Oy",
        "website": "https://northwind.example",
        "status": "ACTIVE",
        "stage": "prospect",
        "tags": ["Fair 2031", "VIP", "New", "Priority"],
        "notes": "Met at the fair; works at Northwind Oy",
        "customFields": {"tier": "silver", "seats": 1, "lead_source": "fair", "renewal": "2031-02-15"},
        "unsubscribed": False,
        "externalId": "crm-0001",
        "createdAt": "2024-03-02T16:00:00Z",
        "updatedAt": "2024-03-03T16:00:00Z",
        "lastContactedAt": "2024-03-04T16:00:00Z",
    }


def test_each_record_says_its_own(gateway: Gateway, ada: str) -> None:
    assert gateway.data(RECORDS, id=ada)["contact"]["records"] == [
        {
            "provider": "GATELY",
            "providerStatus": "active",
            "name": "Ada Winter",
            "firstName": "Ada",
            "lastName": "Winter",
            "emails": [WORK_EMAIL],
            "phones": [phone("+1617 555 0101", "OTHER", primary=True), phone("+447700900101", "MOBILE")],
            "addresses": [GATELY_ADDRESS],
            "company": "Northwind Oy",
            "website": None,
            "status": "ACTIVE",
            "stage": None,
            "tags": ["Fair 2031", "VIP"],
            "notes": "Met at the fair; works at Northwind Oy",
            "customFields": {"tier": "silver", "seats": 1},
            "unsubscribed": False,
            "externalId": "crm-0001",
            "createdAt": "2024-03-02T16:00:00Z",
            "updatedAt": "2024-03-03T16:00:00Z",
            "lastContactedAt": "2024-03-04T16:00:00Z",
        },
        {
            "provider": "KLEN",
            "providerStatus": "contacted",
            "name": "Ada Winter",
            "firstName": "Ada",
            "lastName": "Winter",
            "emails": [WORK_EMAIL],
            "phones": [
                phone("+16175550101", "WORK", primary=True, do_not_call=False),
                phone("+447700900101", "MOBILE", do_not_call=False),
            ],
            "addresses": [GATELY_ADDRESS],
            "company": "Northwind Oy",
            "website": "https://northwind.example",
            "status": "ACTIVE",
            "stage": "prospect",
            "tags": ["New", "Priority"],
            "notes": "Brochure sent\n\nWants a call on Friday",
            "customFields": {"tier": "gold", "lead_source": "fair"},
            "unsubscribed": None,
            "externalId": None,
            "createdAt": "2024-03-02T16:00:00Z",
            "updatedAt": None,
            "lastContactedAt": "2024-03-03T16:00:00Z",
        },
        {
            "provider": "COMETLY",
            "providerStatus": None,
            "name": "Ada Winter",
            "firstName": None,
            "lastName": None,
            "emails": [PRIVATE_EMAIL, {**WORK_EMAIL, "primary": False}],
            "phones": [phone("+16175550101", "OTHER")],
            "addresses": [ONE_LINE_ADDRESS],
            "company": None,
            "website": None,
            "status": None,
            "stage": None,
            "tags": None,
            "notes": None,
            "customFields": {"tier": "Silver", "seats": 1, "renewal": "2031-02-15"},
            "unsubscribed": None,
            "externalId": None,
            "createdAt": None,
            "updatedAt": None,
            "lastContactedAt": None,
        },
    ]


def test_precedence_decides_the_single_values_and_the_order_of_lists(start_gateway: Callable[..., Gateway]) -> None:
    gateway = start_gateway(precedence="cometly,klen,gately")
    link = "mutation($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }"
    linked = gateway.data(link, ids=list(ADA_CONTACTS.values()))["linkContacts"]["contact"]["id"]
    query = """query($id: ID!) { contact(id: $id) {
      notes tags emails { address primary } phones { number type primary } customFields records { provider }
    } }"""

    assert linked == ADA_CONTACTS["cometly"]
    assert gateway.data(query, id=linked)["contact"] == {
        "notes": "Brochure sent\n\nWants a call on Friday",
        "tags": ["New", "Priority", "Fair 2031", "VIP"],
        "emails": [
            {"address": "ada@winter.test", "primary": False},
            {"address": "ada.winter@northwind.example", "primary": True},
        ],
        "phones": [
            {"number": "+16175550101", "type": "OTHER", "primary": True},
            {"number": "+447700900101", "type": "MOBILE", "primary": False},
        ],
        "customFields": {"tier": "Silver", "seats": 1, "renewal": "2031-02-15", "lead_source": "fair"},
        "records": [{"provider": "COMETLY"}, {"provider": "KLEN"}, {"provider": "GATELY"}],
    }


def test_the_first_value_that_is_not_null_wins(gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
    sandbox.gately.contacts[GATELY_ID].company = None
    sandbox.gately.contacts[GATELY_ID].notes = "  "
    sandbox.klen.contacts[KLEN_ID].company = "Harbour Ltd"

    assert gateway.data("query($id: ID!) { contact(id: $id) { company notes } }", id=ada)["contact"] == {
        "company": "Harbour Ltd",
        "notes": "Brochure sent\n\nWants a call on Friday",
    }


def test_a_value_that_nobody_has_is_null_and_a_list_of_nothing_is_empty(gateway: Gateway, sandbox: Sandbox) -> None:
    bare = contact_id("cometly", NO_EMAIL_COMETLY_IDS[2])

    assert gateway.data(WHOLE, id=bare)["contact"] == {
        **dict.fromkeys(["name", "firstName", "lastName", "company", "website", "status", "stage", "tags", "notes"]),
        **dict.fromkeys(["unsubscribed", "externalId", "createdAt", "updatedAt", "lastContactedAt"]),
        "emails": [],
        "phones": [],
        "addresses": [],
        "customFields": {},
    }


def test_the_country_that_klen_makes_up_is_no_address(gateway: Gateway) -> None:
    """Person 2 has no address at Klen; Klen says US all the same."""
    addresses = gateway.data(
        "query($id: ID!) { contact(id: $id) { addresses { formatted } } }", id=contact_id("klen", 9002)
    )

    assert addresses["contact"] == {"addresses": []}


def test_a_country_that_klen_did_not_make_up_counts(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.contacts[9002].country = "FI"

    addresses = gateway.data(
        "query($id: ID!) { contact(id: $id) { addresses { country formatted } } }", id=contact_id("klen", 9002)
    )

    assert addresses["contact"] == {"addresses": [{"country": "FI", "formatted": "FI"}]}


def test_one_number_written_two_ways_is_one_phone(gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
    sandbox.cometly.contacts[COMETLY_ID].phones.add(["+1 (617) 555-0101", "617 555 0199"])

    phones = gateway.data("query($id: ID!) { contact(id: $id) { phones { number e164 } } }", id=ada)["contact"][
        "phones"
    ]

    assert phones == [
        {"number": "+1617 555 0101", "e164": "+16175550101"},
        {"number": "+447700900101", "e164": "+447700900101"},
        {"number": "617 555 0199", "e164": None},
    ]


def test_a_do_not_call_mark_survives_the_union(gateway: Gateway, link: Callable[..., str]) -> None:
    """Klen forbids calls to person 3's number; that Gately keeps no such mark must not hide it."""
    linked = link(contact_id("gately", "6f3d0001-0000-4000-8000-000000000003"), contact_id("klen", DO_NOT_CALL_KLEN_ID))

    phones = gateway.data("query($id: ID!) { contact(id: $id) { phones { e164 doNotCall } } }", id=linked)

    assert phones["contact"]["phones"][0] == {"e164": "+14155550103", "doNotCall": True}


def test_emails_that_differ_by_case_only_are_one(gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
    sandbox.klen.contacts[KLEN_ID].email = "ADA.Winter@Northwind.example"

    emails = gateway.data("query($id: ID!) { contact(id: $id) { emails { address normalized primary } } }", id=ada)

    assert emails["contact"]["emails"] == [WORK_EMAIL, PRIVATE_EMAIL]


def test_tags_that_differ_by_case_only_are_one(gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
    sandbox.klen.contacts[KLEN_ID].tags = ["vip", "New"]

    assert gateway.data("query($id: ID!) { contact(id: $id) { tags } }", id=ada)["contact"]["tags"] == [
        "Fair 2031",
        "VIP",
        "New",
    ]


def test_cometlys_details_do_not_tell_the_primary_but_its_list_does(gateway: Gateway, sandbox: Sandbox) -> None:
    read = gateway.data(
        "query($id: ID!) { contact(id: $id) { emails { address primary } } }", id=ADA_CONTACTS["cometly"]
    )
    listed = gateway.data(
        """{ contacts(first: 1, providers: [COMETLY], filter: {search: "ada.winter"}) {
             nodes { emails { address primary } phones { number primary } } } }"""
    )

    assert read["contact"]["emails"] == [
        {"address": "ada@winter.test", "primary": False},
        {"address": "ada.winter@northwind.example", "primary": False},
    ]
    assert listed["contacts"]["nodes"] == [
        {
            "emails": [
                {"address": "ada@winter.test", "primary": False},
                {"address": "ada.winter@northwind.example", "primary": True},
            ],
            "phones": [{"number": "+16175550101", "primary": True}],
        }
    ]


def test_a_capped_list_shows_what_the_provider_shows(gateway: Gateway) -> None:
    emails = gateway.data(
        "query($id: ID!) { contact(id: $id) { emails { address } } }", id=contact_id("cometly", MANY_EMAILS_COMETLY_ID)
    )["contact"]["emails"]

    assert len(emails) == 25
    assert emails[0]["address"].split(".")[1].startswith("30@")


def test_a_word_that_has_no_counterpart_is_the_providers_own(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.contacts[KLEN_ID].status = "do_not_disturb"

    record = gateway.data(
        "query($id: ID!) { node(id: $id) { ... on ContactRecord { status providerStatus } } }", id=ADA_RECORDS["klen"]
    )

    assert record["node"] == {"status": None, "providerStatus": "do_not_disturb"}


class TestSources:
    QUERY = """query($id: ID!) { contact(id: $id) {
      name company records { provider } sources { provider state error { code provider retryable } } } }"""

    def test_they_tell_how_each_provider_answered(self, gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
        sandbox.klen.faults.add(Fault(kind="status", status=401))
        del sandbox.cometly.contacts[COMETLY_ID]

        answer = gateway.send(self.QUERY, id=ada)

        assert answer["data"]["contact"] == {
            "name": "Ada Winter",
            "company": "Northwind Oy",
            "records": [{"provider": "GATELY"}, None, None],
            "sources": [
                {"provider": "GATELY", "state": "OK", "error": None},
                {
                    "provider": "KLEN",
                    "state": "FAILED",
                    "error": {"code": "PROVIDER_UNAUTHENTICATED", "provider": "KLEN", "retryable": False},
                },
                {"provider": "COMETLY", "state": "NOT_FOUND", "error": None},
            ],
        }
        (error,) = answer["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["contact", "records", 1], "PROVIDER_UNAUTHENTICATED")

    def test_latency_is_told_in_whole_milliseconds(self, gateway: Gateway, ada: str) -> None:
        sources = gateway.data("query($id: ID!) { contact(id: $id) { name sources { latencyMs } } }", id=ada)

        latencies = [source["latencyMs"] for source in sources["contact"]["sources"]]
        assert len(latencies) == 3
        assert all(type(latency) is int and 0 <= latency < 60_000 for latency in latencies)

    def test_a_null_is_an_error_when_somebody_who_might_know_failed(
        self, gateway: Gateway, sandbox: Sandbox, ada: str
    ) -> None:
        sandbox.klen.faults.add(Fault(kind="status", status=401))
        sandbox.gately.contacts[GATELY_ID].company = None
        query = "query($id: ID!) { contact(id: $id) { name company stage unsubscribed tags } }"

        answer = gateway.send(query, id=ada)

        assert answer["data"]["contact"] == {
            "name": "Ada Winter",
            "company": None,
            "stage": None,
            "unsubscribed": False,
            "tags": ["Fair 2031", "VIP"],
        }
        told = {tuple(error["path"]): error["extensions"]["code"] for error in answer["errors"]}
        assert told == dict.fromkeys([("contact", "company"), ("contact", "stage")], "PROVIDER_UNAUTHENTICATED")

    def test_an_empty_list_is_an_error_too_then(self, gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
        sandbox.klen.faults.add(Fault(kind="status", status=401))
        sandbox.gately.contacts[GATELY_ID].tags = []

        answer = gateway.send("query($id: ID!) { contact(id: $id) { tags } }", id=ada)

        assert answer["data"] == {"contact": {"tags": None}}
        (error,) = answer["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["contact", "tags"], "PROVIDER_UNAUTHENTICATED")


class TestRecord:
    def test_raw_is_what_the_provider_sent(self, gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
        raw = gateway.data("query($id: ID!) { contact(id: $id) { records { raw } } }", id=ada)["contact"]["records"]

        klen = sandbox.klen.view.details(sandbox.klen.contacts[KLEN_ID])
        gately = sandbox.gately.view.details(sandbox.gately.contacts[GATELY_ID])
        cometly = sandbox.cometly.view.details(sandbox.cometly.contacts[COMETLY_ID])
        assert [record["raw"] for record in raw] == [gately, klen, cometly]

    def test_when_it_was_fetched_is_null_while_nothing_was(self, gateway: Gateway, ada: str) -> None:
        query = "query($id: ID!) { contact(id: $id) { stage records { provider fetchedAt } } }"

        fetched = {
            record["provider"]: record["fetchedAt"] for record in gateway.data(query, id=ada)["contact"]["records"]
        }

        assert fetched["GATELY"] is None
        assert fetched["COMETLY"] is None
        assert fetched["KLEN"].endswith("Z")
