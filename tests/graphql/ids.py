"""Ids as the design words them (section 3), and one person whom all three seeds hold; no code of the gateway."""

from base64 import b64decode, b64encode

from gateway.sandbox.seed.landmarks import EVERYWHERE_COMETLY_ID, EVERYWHERE_GATELY_ID, EVERYWHERE_KLEN_ID


def _global_id(type_name: str, provider: str, remote_id: object) -> str:
    return b64encode(f"{type_name}:{provider}:{remote_id}".encode()).decode()


def contact_id(provider: str, remote_id: object) -> str:
    return _global_id("Contact", provider, remote_id)


def record_id(provider: str, remote_id: object) -> str:
    return _global_id("ContactRecord", provider, remote_id)


def spell_out(global_id: str) -> str:
    """What stands behind an id: `Contact:klen:9001`."""
    return b64decode(global_id).decode()


GATELY_ID, COMETLY_ID, KLEN_ID = EVERYWHERE_GATELY_ID, EVERYWHERE_COMETLY_ID, EVERYWHERE_KLEN_ID
ADA = {"gately": GATELY_ID, "klen": KLEN_ID, "cometly": COMETLY_ID}
"""Ada Winter's records, in the default order of precedence."""
ADA_CONTACTS = {provider: contact_id(provider, remote_id) for provider, remote_id in ADA.items()}
ADA_RECORDS = {provider: record_id(provider, remote_id) for provider, remote_id in ADA.items()}
UNKNOWN_GATELY_ID = "6f3d0001-0000-4000-8000-000000009999"
