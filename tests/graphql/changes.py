"""What a write changed at a provider: the difference between two looks into its simulator."""

from copy import deepcopy
from typing import Any

from gateway.sandbox.sandbox import Sandbox
from tests.graphql.ids import COMETLY_ID, GATELY_ID, KLEN_ID

UNSTABLE = ("updated_at", "timezone")


def look(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """Ada Winter as each simulator would show her in full, tags by their names."""
    gately = sandbox.gately.view.details(sandbox.gately.contacts[GATELY_ID])
    gately["tags"] = [tag["name"] for tag in gately.get("tags", [])]
    klen = sandbox.klen.contacts[KLEN_ID]
    everybody = {
        "gately": gately,
        "klen": {**sandbox.klen.view.details(klen), "team_id": klen.team_id},
        "cometly": sandbox.cometly.view.details(sandbox.cometly.contacts[COMETLY_ID]),
    }
    # The simulators show their own lists and objects, which the next write changes.
    return deepcopy(everybody)


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The new value of everything that changed; None for what is no longer there."""
    names = [name for name in {**before, **after} if name not in UNSTABLE and not name.endswith("_display")]
    return {name: after.get(name) for name in names if before.get(name) != after.get(name)}
