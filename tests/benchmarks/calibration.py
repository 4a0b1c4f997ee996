"""A fixed piece of work in plain Python, so that figures of one machine can be held against those of another.

Prints how many milliseconds of processor time it took: parsing and writing JSON, small objects, dictionaries, text;
what a gateway does most.
"""

from __future__ import annotations

import json
import sys
import time

from tests.benchmarks.wire_bodies import gately_list

PASSES = 60
LENGTH = 100


def one_pass(text: str) -> int:
    contacts = json.loads(text)["contacts"]
    found = [
        {"id": contact["id"], "name": contact["name"].upper(), "tags": [tag["name"] for tag in contact["tags"]]}
        for contact in contacts
    ]
    by_id = {contact["id"]: contact for contact in found}
    return len(json.dumps(sorted(by_id.values(), key=lambda contact: contact["name"])))


def milliseconds() -> float:
    """Of processor time, for one pass."""
    text = gately_list(LENGTH)
    one_pass(text)
    began = time.process_time()
    for _ in range(PASSES):
        one_pass(text)
    return (time.process_time() - began) * 1000 / PASSES


if __name__ == "__main__":
    sys.stdout.write(f"{milliseconds()}\n")
