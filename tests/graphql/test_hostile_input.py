"""Whatever is sent is answered with a clear error of a known code: never INTERNAL_ERROR, never a 5xx."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, contact_id
from tests.graphql.traffic import NOBODY, Traffic

CREATE = """mutation($input: CreateContactInput!) { createContact(input: $input) {
  status contact { id name } results { warnings { field } ... on ProviderWriteFailure { error { code } } } } }"""
UPDATE = """mutation($input: UpdateContactInput!) { updateContact(input: $input) {
  status contact { id name } results { warnings { field } ... on ProviderWriteFailure { error { code } } } } }"""
KNOWN_CODES = {
    "INVALID_INPUT",
    "BAD_USER_INPUT",
    "BAD_REQUEST",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "LIMIT_EXCEEDED",
    "OPERATION_RESOLUTION_FAILURE",
    "PAYLOAD_TOO_LARGE",
    "UNSUPPORTED_CLEAR",
    "UNSUPPORTED_OPERATION",
    "UNSUPPORTED_FIELD",
    "NOT_FOUND",
    "DUPLICATE",
    "ALL_PROVIDERS_FAILED",
}
SECRETS = ("Traceback", ".py", "site-packages", "sandbox-space-key", "gately_sk")


def codes(gateway: Gateway, document: str, variables: Any = None) -> list[str]:
    """The codes of the answer's errors, after everything that has to hold for any answer."""
    reply = gateway.request(
        "POST",
        "/graphql",
        content=json.dumps({"query": document, "variables": variables}).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert reply.status_code in (200, 400, 413), reply.text[:300]
    assert not [word for word in SECRETS if word in reply.text], reply.text[:300]
    answer = reply.json()
    errors = answer.get("errors", [])
    assert errors or "data" in answer
    assert all(error["message"].strip() for error in errors)
    found = [error["extensions"]["code"] for error in errors]
    assert set(found) <= KNOWN_CODES, errors
    return found


class TestDocuments:
    @pytest.mark.parametrize(
        ("document", "code"),
        {
            "nothing but a brace": ("{", "GRAPHQL_PARSE_FAILED"),
            "no GraphQL": ("SELECT * FROM contacts", "GRAPHQL_PARSE_FAILED"),
            "a null sign": ("{ providers { provider } }\0", "GRAPHQL_PARSE_FAILED"),
            "an unclosed text": ('{ contact(id: "', "GRAPHQL_PARSE_FAILED"),
            "a lone surrogate": ('{ contact(id: "\\ud800") { id } }', "GRAPHQL_PARSE_FAILED"),
            "a sign beyond Unicode": ('{ contact(id: "\\u{110000}") { id } }', "GRAPHQL_PARSE_FAILED"),
            "an unknown field": ("{ passwords }", "GRAPHQL_VALIDATION_FAILED"),
            "an unknown argument": ('{ contact(id: "a", admin: true) { id } }', "GRAPHQL_VALIDATION_FAILED"),
            "a missing argument": ("{ contact { id } }", "GRAPHQL_VALIDATION_FAILED"),
            "a wrong enum value": ("{ contacts(providers: [SALESFORCE]) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
            "a text for an enum": ('{ contacts(providers: ["KLEN"]) { totalCount } }', "GRAPHQL_VALIDATION_FAILED"),
            "a number beyond its type": (
                "{ contacts(first: 99999999999) { totalCount } }",
                "GRAPHQL_VALIDATION_FAILED",
            ),
            "infinity for a number": ("{ contacts(first: 1e999) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
            "no selection": ('{ contact(id: "a") }', "GRAPHQL_VALIDATION_FAILED"),
            "a fragment in itself": (
                "query { ...A } fragment A on Query { __typename ...A }",
                "GRAPHQL_VALIDATION_FAILED",
            ),
            "fragments in a circle": (
                "{ ...A } fragment A on Query { ...B } fragment B on Query { ...C } fragment C on Query { ...A }",
                "GRAPHQL_VALIDATION_FAILED",
            ),
            "a circle around a contact": (
                '{ contact(id: "a") { ...A } } fragment A on Contact { records { contact { ...A } } }',
                "GRAPHQL_VALIDATION_FAILED",
            ),
            "an unknown fragment": ("{ ...Missing }", "GRAPHQL_VALIDATION_FAILED"),
            "an unused fragment": ("{ __typename } fragment A on Query { __typename }", "GRAPHQL_VALIDATION_FAILED"),
            "an undefined variable": ("{ contact(id: $id) { id } }", "GRAPHQL_VALIDATION_FAILED"),
            "two operations without a name": (
                "query A { __typename } query B { __typename }",
                "OPERATION_RESOLUTION_FAILURE",
            ),
            "no operation at all": ("fragment A on Query { __typename }", "OPERATION_RESOLUTION_FAILURE"),
            "only a comment": ("# nothing", "GRAPHQL_PARSE_FAILED"),
            "both fields of a one-of": (
                'mutation { updateContact(input: {id: "a", tags: {add: ["a"], remove: ["b"]}}) { status } }',
                "GRAPHQL_VALIDATION_FAILED",
            ),
            "no field of a one-of": (
                'mutation { updateContact(input: {id: "a", tags: {}}) { status } }',
                "GRAPHQL_VALIDATION_FAILED",
            ),
            "a null in a one-of": (
                'mutation { updateContact(input: {id: "a", tags: {set: null}}) { status } }',
                "GRAPHQL_VALIDATION_FAILED",
            ),
        }.values(),
        ids=str,
    )
    def test_a_wrong_document_is_refused_before_anybody_is_called(
        self, gateway: Gateway, traffic: Traffic, document: str, code: str
    ) -> None:
        assert code in codes(gateway, document)
        assert traffic.calls == NOBODY

    @pytest.mark.parametrize("depth", [200, 2_000, 20_000])
    @pytest.mark.parametrize(
        ("before", "opening", "middle", "closing", "after"),
        [
            ("", "{a", "", "}", ""),
            ("{contacts(after:", "[", "", "]", "){totalCount}}"),
            ("{contacts(filter:", "{search:", "1", "}", "){totalCount}}"),
            ("query($a:", "[", "Int", "]", "){__typename}"),
        ],
        ids=["fields", "lists", "objects", "types"],
    )
    def test_brackets_without_end_are_refused(
        self, gateway: Gateway, before: str, opening: str, middle: str, closing: str, after: str, depth: int
    ) -> None:
        assert codes(gateway, before + opening * depth + middle + closing * depth + after) != []

    def test_twelve_fields_deep_is_enough(self, gateway: Gateway, traffic: Traffic) -> None:
        def nested(fields: int) -> str:
            return "{ contacts " * fields + "{ id }" + " }" * fields

        # What the schema does not know counts as well: nothing has been validated yet.
        assert set(codes(gateway, nested(11))) == {"GRAPHQL_VALIDATION_FAILED"}
        assert codes(gateway, nested(12)) == ["LIMIT_EXCEEDED"]
        assert traffic.calls == NOBODY

    def test_depth_is_counted_through_fragments(self, gateway: Gateway) -> None:
        chain = "".join(f"fragment F{n} on Contact {{ records {{ contact {{ ...F{n + 1} }} }} }} " for n in range(6))
        document = f'{{ contact(id: "{ADA_CONTACTS["klen"]}") {{ ...F0 }} }} {chain} fragment F6 on Contact {{ id }}'

        assert codes(gateway, document) == ["LIMIT_EXCEEDED"]

    def test_a_fragment_spread_many_times_over_is_measured_quickly(self, gateway: Gateway) -> None:
        """Without memory each level would double the work: 2 to the power of 25."""
        levels = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(25))

        assert codes(gateway, f"{{ ...F0 }} {levels} fragment F25 on Query {{ __typename }}") == []

    def test_five_thousand_tokens_are_the_limit(self, gateway: Gateway, traffic: Traffic) -> None:
        def ids(number: int) -> str:
            return "{ nodes(ids: [" + '"a" ' * number + "]) { id } }"

        assert codes(gateway, ids(4_980)) == ["INVALID_INPUT"]
        assert codes(gateway, ids(5_000)) == ["LIMIT_EXCEEDED"]
        assert traffic.calls == NOBODY

    def test_a_query_that_would_ask_too_often_is_stopped(self, gateway: Gateway, sandbox: Sandbox) -> None:
        """100 calls to providers an operation (design section 9)."""
        details = "{ contacts(first: 100, providers: [%s]) { nodes { phones { number } addresses { city } } } }"

        answer = gateway.send(details.replace("%s", "GATELY, KLEN"))
        sandbox.reset()
        over = gateway.send(details.replace("%s", "GATELY, KLEN, COMETLY"))

        assert "errors" not in answer
        assert {error["extensions"]["code"] for error in over["errors"]} == {"UPSTREAM_CALL_LIMIT"}
        assert sum(len(simulator.requests) for simulator in sandbox.simulators) <= 100


LONG = "a" * 100_000
FILTERS = ("search", "stage", "tag")
HOSTILE_LINES = {
    "null signs": "Ada\x00Winter",
    "an escape": "\x1b[31mAda",
    "a line break in the header's way": "Ada\r\nX-Admin: 1",
    "a bell": "\x07",
    "too long": "A" * 2_001,
    "enormous": LONG,
    "blank": " ",
    "empty": "",
    "wide blanks": "\u2003\u3000",
}


class TestLines:
    @pytest.mark.parametrize("field", ["name", "firstName", "company", "website", "stage", "externalId"])
    @pytest.mark.parametrize("text", HOSTILE_LINES.values(), ids=HOSTILE_LINES)
    def test_a_line_that_no_provider_should_see_is_refused_or_sent_as_it_is(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic, field: str, text: str
    ) -> None:
        answer = codes(gateway, UPDATE, {"input": {"id": ADA_RECORDS["gately"], field: text}})

        if "\r\n" in text:
            # Line breaks are white space to JSON; what matters is that they end in no header.
            assert set(answer) <= {"INVALID_INPUT"}
            assert all("x-admin" not in request.headers for request in sandbox.gately.requests)
            return
        assert answer == ["INVALID_INPUT"]
        assert traffic.calls == NOBODY

    @pytest.mark.parametrize(
        "name",
        [
            "Zoë Åström-Ünlü",
            "李小龍",
            "مريم النجار",
            "\u202eסבתא\u202c",
            "👩‍👩‍👧‍👦 Müller",
            "Z̸̡̛͔a̷l̴g̶o",
            'O\'Brien "Bob" <script>alert(1)</script>',
            "Robert'); DROP TABLE links;--",
            "{{7*7}} ${7*7} %s %n",
            "../../etc/passwd",
            "null",
            "undefined",
            "𝒜𝒹𝒶 \U0001f1eb\U0001f1ee",
            "A" * 2_000,
        ],
    )
    def test_a_name_of_any_script_arrives_as_it_was_given(self, gateway: Gateway, sandbox: Sandbox, name: str) -> None:
        mutation = """mutation($input: CreateContactInput!) { createContact(input: $input) {
          contact { name } results { ... on ProviderWriteSuccess { record { remoteId } } } } }"""
        given = {"providers": ["COMETLY"], "name": name, "emails": [{"address": "any@script.test"}]}

        payload = gateway.data(mutation, input=given)["createContact"]

        assert payload["contact"] == {"name": name}
        stored = sandbox.cometly.contacts[int(payload["results"][0]["record"]["remoteId"])]
        assert stored.names.oldest_first == [name]

    @pytest.mark.parametrize("size", [1_000, 30_000, 70_000, 200_000])
    @pytest.mark.parametrize(
        "field", ["contactsByEmail(email: $text)", *(f"contacts(filter: {{{name}: $text}})" for name in FILTERS)]
    )
    def test_a_text_that_is_too_long_for_a_url_is_the_callers_mistake(
        self, gateway: Gateway, field: str, size: int
    ) -> None:
        """httpx makes no URL of more than 65,536 signs; no provider is to be blamed for that."""
        answer = gateway.send(
            f"query($text: String!) {{ {field} {{ sources {{ error {{ code }} }} }} }}", text="a" * size
        )

        told = {error["extensions"]["code"] for error in answer.get("errors", [])}
        listed = next(iter(answer["data"].values())) or {"sources": []}
        told |= {source["error"]["code"] for source in listed["sources"] if source["error"]}
        assert told <= {"INVALID_INPUT", "UNSUPPORTED_FIELD", "UNSUPPORTED_OPERATION"}

    @pytest.mark.parametrize("text", ["a&status=new", "a%00b", "a\x00b", "a#b", "a b+c", "ä€😀", "\r\nX: y", "*", "%"])
    def test_a_search_is_only_a_search(self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic, text: str) -> None:
        codes(gateway, "query($t: String!) { contacts(filter: {search: $t}) { nodes { id } } }", {"t": text})

        for provider in ("gately", "klen"):
            assert [query["search"] for query in traffic.queries(provider)] in ([text], [])
            assert all(set(query) == {"page", "limit", "search"} for query in traffic.queries(provider))


class TestIdsInUrls:
    @pytest.mark.parametrize(
        "remote_id",
        [
            "..",
            ".",
            "a/b",
            "a%2fb",
            "a?b",
            "a#b",
            "a;b",
            "a\\b",
            "tags",
            "lists",
            "segments",
            "bulk-import",
            "a b",
            "ａ",
        ],
    )
    def test_an_id_reaches_no_other_resource(self, gateway: Gateway, traffic: Traffic, remote_id: str) -> None:
        mutation = "mutation($id: ID!) { deleteContact(input: {id: $id}) { status } }"

        assert codes(gateway, mutation, {"id": contact_id("gately", remote_id)}) == ["INVALID_INPUT"]
        assert traffic.calls == NOBODY


def nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


class TestJson:
    @pytest.mark.parametrize("field", ["customFields", "klen"])
    @pytest.mark.parametrize(
        "value",
        ["text", 5, True, [], ["a"], {" ": 1}, {"a": nested(1, 12)}, {"a": nested(1, 400)}, {"a": "\x00"}],
        ids=lambda value: str(value)[:20],
    )
    def test_custom_fields_that_are_none_are_refused(
        self, gateway: Gateway, traffic: Traffic, field: str, value: Any
    ) -> None:
        given = {"customFields": value} if field == "customFields" else {"klen": {"industryContext": value}}
        # The request itself may not nest that deep.
        code = "LIMIT_EXCEEDED" if value == {"a": nested(1, 400)} else "INVALID_INPUT"

        assert codes(gateway, CREATE, {"input": {"providers": ["KLEN"], "firstName": "Eva", **given}}) == [code]
        assert traffic.calls == NOBODY

    @pytest.mark.parametrize(
        ("number", "code"),
        # So many digits are not even read.
        [("1e999", "INVALID_INPUT"), ("-1e999", "INVALID_INPUT"), ("9" * 5_000, "LIMIT_EXCEEDED")],
        ids=["large", "small", "long"],
    )
    def test_a_number_that_json_cannot_hold_is_refused(
        self, gateway: Gateway, traffic: Traffic, number: str, code: str
    ) -> None:
        document = (
            f'mutation {{ createContact(input: {{providers: [KLEN], firstName: "Eva", customFields: {{a: {number}}}}})'
            " { status } }"
        )

        assert codes(gateway, document) == [code]
        assert traffic.calls == NOBODY

    @pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
    def test_numbers_that_are_no_json_are_a_bad_request(self, gateway: Gateway, word: str) -> None:
        body = '{"query": "query($a: Int) { __typename }", "variables": {"a": WORD}}'.replace("WORD", word)

        reply = gateway.request("POST", "/graphql", content=body, headers={"Content-Type": "application/json"})

        assert reply.status_code == 400
        assert reply.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"

    def test_big_and_precise_numbers_arrive_as_they_were_given(self, gateway: Gateway, sandbox: Sandbox) -> None:
        values = {"big": 12345678901234567890123, "small": -(2**63), "precise": 0.1, "zero": 0, "no": False, "none": ""}

        assert (
            codes(gateway, CREATE, {"input": {"providers": ["KLEN"], "firstName": "Eva", "customFields": values}}) == []
        )
        assert sandbox.klen.contacts[max(sandbox.klen.contacts)].custom_context == values


WRONG_SHAPES: list[Any] = [
    None,
    [],
    "text",
    5,
    {"input": None},
    {"input": []},
    {"input": "text"},
    {"input": {}},
    {"input": {"id": None}},
    {"input": {"id": {}}},
    {"input": {"id": ADA_RECORDS["klen"], "unknown": 1}},
    {"input": {"id": ADA_RECORDS["klen"], "name": 5}},
    {"input": {"id": ADA_RECORDS["klen"], "name": ["Ada"]}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": "ada@winter.test"}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": [None]}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": [{"address": None}]}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": [{"address": "not an address"}]}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": [{"address": "a@b"}]}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": [{"address": LONG + "@winter.test"}]}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": [{"address": "a\x00@winter.test"}]}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": [{"address": "a@winter.test"}, {"address": "A@winter.test"}]}},
    {"input": {"id": ADA_RECORDS["klen"], "emails": [{"address": f"{n}@w.test", "primary": True} for n in "ab"]}},
    {"input": {"id": ADA_RECORDS["klen"], "phones": [{"number": "call me"}]}},
    {"input": {"id": ADA_RECORDS["klen"], "phones": [{"number": ""}]}},
    {"input": {"id": ADA_RECORDS["klen"], "phones": [{"number": "+" + "9" * 3_000}]}},
    {"input": {"id": ADA_RECORDS["klen"], "phones": [{"number": "+16175550101", "type": "FAX"}]}},
    {"input": {"id": ADA_RECORDS["klen"], "addresses": [{}]}},
    {"input": {"id": ADA_RECORDS["klen"], "addresses": [{"primary": True}]}},
    {"input": {"id": ADA_RECORDS["klen"], "addresses": [{"country": "Finland", "city": "Turku"}]}},
    {"input": {"id": ADA_RECORDS["klen"], "tags": ["a"]}},
    {"input": {"id": ADA_RECORDS["klen"], "tags": {}}},
    {"input": {"id": ADA_RECORDS["klen"], "tags": {"set": None}}},
    {"input": {"id": ADA_RECORDS["klen"], "tags": {"set": ["a"], "add": ["b"]}}},
    {"input": {"id": ADA_RECORDS["klen"], "tags": {"set": [""]}}},
    {"input": {"id": ADA_RECORDS["gately"], "tags": {"add": ["a,b"]}}},
    {"input": {"id": ADA_RECORDS["klen"], "customFields": {"merge": None}}},
    {"input": {"id": ADA_RECORDS["klen"], "customFields": {"merge": 5}}},
    {"input": {"id": ADA_RECORDS["klen"], "unsubscribed": "yes"}},
    {"input": {"id": ADA_RECORDS["klen"], "status": "new"}},
    {"input": {"id": ADA_RECORDS["klen"], "klen": {"teamId": "7"}}},
    {"input": {"id": ADA_RECORDS["klen"], "klen": {"teamId": 2**31}}},
    {"input": {"id": ADA_RECORDS["klen"], "klen": {"teamId": 1.5}}},
    {"input": {"id": ADA_RECORDS["klen"], "providers": ["KLEN", None]}},
    {"input": {"id": ADA_RECORDS["klen"], "providers": "NOBODY"}},
    {"input": {"id": LONG}},
    {"input": {"id": ADA_RECORDS["klen"], "notes": " "}},
    {"input": {"id": ADA_RECORDS["cometly"], "customFields": {"merge": {"renewal": "31.12.2031"}}}},
]


@pytest.mark.parametrize(
    "variables", WRONG_SHAPES, ids=lambda value: repr(value)[:70].replace(ADA_RECORDS["klen"], "…")
)
def test_input_of_a_wrong_shape_is_an_error_and_calls_nobody(
    gateway: Gateway, traffic: Traffic, variables: Any
) -> None:
    assert len(codes(gateway, UPDATE, variables)) >= 1
    assert traffic.calls == NOBODY


# What GraphQL input can be made of, wrong or right: each part sometimes absent, null or of another type.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.one_of(st.none(), st.text(max_size=60), st.sampled_from(list(HOSTILE_LINES.values())[:5]))
EMAIL = st.fixed_dictionaries(
    {"address": st.one_of(st.emails(), st.text(max_size=40))}, optional={"primary": st.booleans()}
)
PHONE = st.fixed_dictionaries(
    {"number": st.one_of(st.from_regex(r"\+[0-9]{7,15}", fullmatch=True), st.text(max_size=20))},
    optional={
        "type": st.sampled_from(["MOBILE", "WORK", "HOME", "OTHER", None]),
        "doNotCall": st.one_of(st.none(), st.booleans()),
        "primary": st.booleans(),
    },
)
ADDRESS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("street", "street2", "city", "state", "postalCode", "country", "formatted"), TEXT)
)
SHARED = {
    "name": TEXT,
    "firstName": TEXT,
    "lastName": TEXT,
    "emails": st.one_of(st.none(), st.lists(EMAIL, max_size=3)),
    "phones": st.one_of(st.none(), st.lists(PHONE, max_size=3)),
    "addresses": st.one_of(st.none(), st.lists(ADDRESS, max_size=2)),
    "company": TEXT,
    "website": TEXT,
    "status": st.sampled_from([None, "NEW", "ACTIVE", "INACTIVE", "ARCHIVED"]),
    "stage": TEXT,
    "notes": TEXT,
    "externalId": TEXT,
    "klen": st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {}, optional={"status": TEXT, "teamId": st.integers(-(2**31), 2**31 - 1), "industryContext": ANYTHING}
        ),
    ),
}
ONE_TAG_PATCH = st.sampled_from(["set", "add", "remove"]).flatmap(
    lambda name: st.fixed_dictionaries({name: st.lists(st.text(max_size=12), max_size=3)})
)
ONE_FIELDS_PATCH = st.sampled_from(["merge", "replace"]).flatmap(lambda name: st.fixed_dictionaries({name: ANYTHING}))
generated = settings(max_examples=80, suppress_health_check=list(HealthCheck))


class TestGenerated:
    @generated
    @given(
        input=st.fixed_dictionaries(
            {}, optional={**SHARED, "tags": st.lists(st.text(max_size=12), max_size=3), "customFields": ANYTHING}
        )
    )
    @example(input={"name": "\ud800"})
    @example(input={"firstName": "Eva", "emails": [{"address": "eva@sommer.test"}], "tags": ["\u0000"]})
    def test_a_creation_ends_in_data_or_in_a_known_error(self, gateway: Gateway, input: Any) -> None:
        codes(gateway, CREATE, {"input": input})

    @generated
    @given(
        provider=st.sampled_from(["gately", "klen", "cometly"]),
        input=st.fixed_dictionaries(
            {},
            optional={**SHARED, "tags": ONE_TAG_PATCH, "customFields": ONE_FIELDS_PATCH, "unsubscribed": st.booleans()},
        ),
    )
    def test_an_update_ends_in_data_or_in_a_known_error(
        self, gateway: Gateway, sandbox: Sandbox, provider: str, input: Any
    ) -> None:
        sandbox.reset()

        codes(gateway, UPDATE, {"input": {"id": ADA_RECORDS[provider], **input}})

    @generated
    @given(variables=st.dictionaries(st.sampled_from(["input", "id", "other"]), ANYTHING, max_size=3))
    def test_variables_of_any_shape_end_in_a_known_error(
        self, gateway: Gateway, traffic: Traffic, variables: Any
    ) -> None:
        assert len(codes(gateway, UPDATE, variables)) >= 1
        assert traffic.calls == NOBODY

    @generated
    @given(document=st.text(max_size=200))
    @example(document="{" + "\ufeff" * 10)
    @example(document='"""' * 500)
    @example(document="query Q($a: Int = 1 @skip(if: $a)) { __typename }")
    def test_a_document_of_any_text_ends_in_a_known_error(self, gateway: Gateway, document: str) -> None:
        reply = gateway.request("POST", "/graphql", json={"query": document})

        assert reply.status_code in (200, 400)
        errors = reply.json()["errors"]
        assert {error["extensions"]["code"] for error in errors} <= KNOWN_CODES

    @generated
    @given(text=st.text(max_size=60))
    def test_a_look_up_by_any_text_finds_nobody_or_says_why(self, gateway: Gateway, text: str) -> None:
        query = "query($text: String!) { contactsByEmail(email: $text) { contacts { id } sources { error { code } } } }"

        found = codes(gateway, query, {"text": text})

        assert found == ([] if text.strip() else ["INVALID_INPUT"])


def test_a_contact_of_hostile_values_reads_back_as_it_is(gateway: Gateway, sandbox: Sandbox) -> None:
    """What a provider holds may be anything; reading it is no occasion to break."""
    gately = sandbox.gately.contacts[GATELY_ID]
    gately.name, gately.company, gately.phone = "\u202e\x07{{x}}", "'; DROP--", "call me"
    gately.custom_fields = {"": None, "__proto__": {"deep": [[[]]]}, "big": 10**30}
    cometly = sandbox.cometly.contacts[COMETLY_ID]
    cometly.names.add(["  ", "\u0000"])
    query = "query($id: ID!) { contact(id: $id) { name company phones { number e164 } customFields } }"

    assert gateway.data(query, id=ADA_CONTACTS["gately"])["contact"] == {
        "name": "\u202e\x07{{x}}",
        "company": "'; DROP--",
        "phones": [{"number": "call me", "e164": None}, {"number": "+447700900101", "e164": "+447700900101"}],
        "customFields": {"": None, "__proto__": {"deep": [[[]]]}, "big": 10**30},
    }
    assert codes(gateway, query, {"id": ADA_CONTACTS["cometly"]}) == []
