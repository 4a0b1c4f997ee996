"""Works that grow along one dimension: more contacts than a page has, and more providers."""

from __future__ import annotations

from tests.benchmarks.works import DISTINCT, LIST, PERSONS, Values, Work, contact_id, list_work, person_answer


def pages_work(pages: int, length: int = 100) -> Work:
    """More contacts than one page has: several pages in one operation, each of another search."""
    head = ", ".join(f"$s{place}: String!" for place in range(pages))
    one = LIST[LIST.index("contacts(") : LIST.rindex("}")].replace("first: $first", f"first: {length}")
    fields = "\n".join(f"p{place}: {one.replace('$search', f'$s{place}')}" for place in range(pages))
    page = list_work(length).answer(0)["contacts"]
    return Work(
        name=f"list {pages * length}",
        title=f"{pages} pages of {length} contacts in one operation",
        query=f"query ({head}) {{ {fields} }}",
        variables=lambda number: {f"s{place}": f"a{number * pages + place}" for place in range(pages)},
        answer=lambda _: {f"p{place}": page for place in range(pages)},
        distinct=DISTINCT // pages,
        calls=pages,
    )


def providers_work(count: int, first: int) -> Work:
    """A contact with a record at each of the first providers in order of precedence; its ids begin at `first`."""

    def answer(number: int) -> Values:
        person = person_answer(first + number % PERSONS)
        records = [{key: record[key] for key in ("provider", "name")} for record in person["records"][:count]]
        return {"contact": {"name": person["name"], "records": records}}

    return Work(
        name=f"{count} of 3",
        title=f"one contact with records at {count} providers",
        query="query ($id: ID!) { contact(id: $id) { name records { provider name } } }",
        variables=lambda number: {"id": contact_id("gately", first + number % PERSONS)},
        answer=answer,
        distinct=PERSONS,
        calls=count,
    )
