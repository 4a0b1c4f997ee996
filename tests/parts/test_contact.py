"""A contact in parts: nobody's answer waits for a provider that only what is put off needs."""

from typing import Any

import pytest

from gateway.domain.contact import Provider
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.http.live import until
from tests.parts.conftest import Start, merged, run

EMAILS = """query($id: ID!) {
  contact(id: $id) { id externalId ... @defer { records { provider emails { address } } } }
}"""
NAMES = "query($id: ID!) { contact(id: $id) { id records @stream { provider name } } }"

FORMS = {
    "a fragment": EMAILS,
    "a list": NAMES,
    "a list from its second item on": NAMES.replace("@stream", "@stream(initialCount: 1)"),
    "a list longer than it is": NAMES.replace("@stream", "@stream(initialCount: 7)"),
    "within one another": """query($id: ID!) { contact(id: $id) {
        name ... @defer { emails { address } records @stream { id ... @defer { notes contact { name } } } }
    } }""",
    "a fragment with a name": """query($id: ID!) { contact(id: $id) { ...F @defer(label: "later") } }
        fragment F on Contact { sources { provider state } name tags }""",
    "the same twice": """query($id: ID!) { contact(id: $id) {
        name ... @defer { name tags } ... @defer { tags stage }
    } }""",
    "at the root": """query($id: ID!) {
        ... @defer { contact(id: $id) { name records { name } } } providers { provider }
    }""",
    "any list": "query($id: ID!) { contact(id: $id) { emails @stream { address } tags @stream } }",
    "a node": "query($id: ID!) { node(id: $id) { id ... on Contact @defer { name records { raw } } } }",
    "sources beside records": """query($id: ID!) {
        contact(id: $id) { id sources { state } ... @defer { records { name } } }
    }""",
    "not if it says so": NAMES.replace("@stream", "@stream(if: $not)").replace("ID!", "ID!, $not: Boolean! = false"),
}

IN_ONE = ("not if it says so", "a list longer than it is")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("failing", [False, True], ids=["all answer", "one fails"])
def test_the_parts_make_up_the_answer_without_them_with_the_same_calls(
    start: Start, sandbox: Sandbox, form: str, failing: bool
) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            if failing:
                sandbox.klen.faults.add(Fault(kind="status", status=500))
            whole = await desk.whole(FORMS[form], id=ada)
            calls = desk.calls
            desk.forget()

            answer = await desk.run(FORMS[form], id=ada)
            together = answer.body if form in IN_ONE else merged([part async for part in answer.parts])

            assert desk.calls == calls
            assert together["data"] == whole["data"]
            assert by_path(together) == by_path(whole)

    run(test)


def by_path(answer: dict[str, Any]) -> list[str]:
    """The errors; which of several comes first is nobody's business."""
    return sorted(str((one["path"], one["extensions"]["code"])) for one in answer.get("errors", []))


def test_the_first_part_waits_for_nobody_whom_only_the_rest_needs(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            desk.hold(Provider.KLEN, Provider.COMETLY)

            parts = await desk.begun(EMAILS, id=ada)

            assert await anext(aiter(parts)) == {
                "data": {"contact": {"id": ada, "externalId": "crm-0001"}},
                "pending": [{"id": "0", "path": ["contact"]}],
                "hasNext": True,
            }
            # They are asked already.
            await until(lambda: desk.waiting == 2)
            desk.let()
            (rest,) = [part async for part in parts]
            assert [one["provider"] for one in rest["incremental"][0]["data"]["records"]] == [
                "GATELY",
                "KLEN",
                "COMETLY",
            ]

    run(test)


def test_each_record_of_a_stream_comes_when_its_provider_and_those_before_it_have_answered(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            desk.hold(Provider.GATELY, Provider.COMETLY)

            parts = await desk.begun(NAMES, id=ada)
            first = await anext(aiter(parts))
            assert first["data"]["contact"]["records"] == []
            await until(lambda: desk.waiting == 2)
            desk.let(Provider.GATELY)
            second = await anext(aiter(parts))
            assert [one["provider"] for one in second["incremental"][0]["items"]] == ["GATELY", "KLEN"]
            desk.let(Provider.COMETLY)
            assert [part async for part in parts] == [
                {
                    "incremental": [{"items": [{"provider": "COMETLY", "name": "Ada Winter"}], "id": "0"}],
                    "completed": [{"id": "0"}],
                    "hasNext": False,
                }
            ]

    run(test)


def test_a_provider_that_fails_leaves_null_with_an_error_in_the_part_of_its_item(
    start: Start, sandbox: Sandbox
) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            sandbox.klen.faults.add(Fault(kind="status", status=500))

            first, *following = await desk.parts(NAMES, id=ada)

            assert "errors" not in first
            brought = [one for part in following for one in part.get("incremental", [])]
            items = [item for one in brought for item in one["items"]]
            assert [item and item["provider"] for item in items] == ["GATELY", None, "COMETLY"]
            (error,) = [error for one in brought for error in one.get("errors", [])]
            assert (error["path"], error["extensions"]["code"]) == (["contact", "records", 1], "PROVIDER_ERROR")

    run(test)


def test_sources_that_are_put_off_tell_of_everything_that_is(start: Start, sandbox: Sandbox) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            sandbox.klen.faults.add(Fault(kind="status", status=500))
            asked = "... @defer { stage } ... @defer { externalId sources { provider state } }"

            answer = merged(await desk.parts(f"query($id: ID!) {{ contact(id: $id) {{ id {asked} }} }}", id=ada))

            assert answer["data"]["contact"]["sources"] == [
                {"provider": "GATELY", "state": "OK"},
                {"provider": "KLEN", "state": "FAILED"},
            ]

    run(test)


def test_a_contact_whose_records_are_all_put_off_is_there_although_they_are_gone(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            gone = "Q29udGFjdDprbGVuOjE="  # Contact:klen:1
            assert (await desk.whole(NAMES, id=gone))["data"] == {"contact": None}

            answer = merged(await desk.parts(NAMES, id=gone))

            assert answer == {"data": {"contact": {"id": gone, "records": [None]}}}

    run(test)


def test_where_one_answer_is_wanted_nothing_is_put_off(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            plain = NAMES.replace(" @stream", "")
            assert await desk.whole(NAMES, id=ada) == await desk.whole(plain, id=ada)

    run(test)


def test_what_it_cost_stands_in_the_last_part_alone(start: Start) -> None:
    async def test() -> None:
        async with start(tell_providers="on") as desk:
            *before, last = await desk.parts(NAMES, id=await desk.ada())

            assert [part for part in before if "extensions" in part] == []
            told = last["extensions"]["providers"]
            assert [(one["provider"], one["calls"]) for one in told] == [("COMETLY", 1), ("GATELY", 1), ("KLEN", 1)]

    run(test)
