"""What a write is remembered by outlives the gateway that wrote it: a newer one knows a used key again."""

from datetime import UTC, datetime

import pytest

from gateway.domain.changes import (
    Changes,
    WantedAddress,
    WantedCustomFields,
    WantedEmail,
    WantedPhone,
    WantedTags,
)
from gateway.domain.contact import ContactStatus, PhoneType, Provider, RecordKey
from gateway.domain.identity import GlobalId, NodeType
from gateway.domain.intent import Intent, Likeness, MatchKey, WriteKind

CHANGES = Changes(
    name="Ines",
    first_name=None,
    emails=(WantedEmail(address="a@b.test", primary=True, position=0),),
    phones=(WantedPhone(number="1", e164=None, type=PhoneType.MOBILE, primary=False, do_not_call=None, position=0),),
    addresses=(
        WantedAddress(
            street="s",
            street2=None,
            city=None,
            state=None,
            postal_code=None,
            country="FI",
            formatted=None,
            primary=True,
            position=0,
        ),
    ),
    status=ContactStatus.NEW,
    tags=WantedTags(whole=("x",), below=("set",)),
    custom_fields=WantedCustomFields(values={"b": 1, "a": None}, merge=True),
    klen_team_id=3,
)
CREATION = Intent(
    kind=WriteKind.CREATE, changes=CHANGES, providers=(Provider.KLEN,), match_on=(MatchKey.EMAIL,), nulls=("tags",)
)
DELETION = Intent(kind=WriteKind.DELETE, target=GlobalId(NodeType.RECORD, RecordKey(Provider.KLEN, "1")))
UPDATE = Intent(kind=WriteKind.UPDATE, unmodified_since=datetime(2031, 1, 1, tzinfo=UTC))

IN_JSON = (
    '{"kind":"create","changes":{"name":"Ines","first_name":null,'
    '"emails":[{"address":"a@b.test","primary":true,"position":0}],'
    '"phones":[{"number":"1","e164":null,"type":"mobile","primary":false,"do_not_call":null,"position":0,'
    '"primary_named":false}],'
    '"addresses":[{"street":"s","street2":null,"city":null,"state":null,"postal_code":null,"country":"FI",'
    '"formatted":null,"primary":true,"position":0}],'
    '"status":"new","tags":{"whole":["x"],"add":[],"remove":[],"below":["set"]},'
    '"custom_fields":{"values":{"b":1,"a":null},"merge":true,"below":[]},"klen_team_id":3},'
    '"target":null,"providers":["klen"],"match_on":["email"],"unmodified_since":null,"nulls":["tags"]}'
)


def test_its_text_is_that_of_earlier_versions() -> None:
    assert CREATION.to_json() == IN_JSON


@pytest.mark.parametrize("intent", [CREATION, DELETION, UPDATE])
def test_it_comes_out_of_its_text_as_it_was(intent: Intent) -> None:
    assert Intent.from_json(intent.to_json()) == intent


@pytest.mark.parametrize(
    ("intent", "fingerprint"),
    [
        (CREATION, "3b448c15023cf5f59862f158db1ad04ffb3670f2fe0a753edcd0b967b916a1bb"),
        (DELETION, "160bf5cc3551284b55712ea4198ef85369301de228e92b6fc57d7f7477107ba9"),
        (UPDATE, "b72ee3ac086f135e31427eb6993ec2b07c2acd378bd895943858f7b867b5472b"),
    ],
)
def test_its_fingerprint_is_that_of_earlier_versions(intent: Intent, fingerprint: str) -> None:
    assert intent.fingerprint == fingerprint


def test_a_likeness_is_that_of_earlier_versions() -> None:
    digest = Likeness(provider=Provider.KLEN, emails=("a",), name="").digest
    assert digest == "b1d349089d752a227c6218c15a4d424bd6f2002b546bef7301d97e1a2e9dc8f2"
