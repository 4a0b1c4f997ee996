"""Headers are found by their names; of those that stand twice each reader says which count."""

from gateway.http.authorization import authorization
from gateway.http.request_headers import RequestHeaders


def sent(*headers: tuple[bytes, bytes]) -> RequestHeaders:
    return RequestHeaders({"headers": list(headers)})


def test_the_first_of_a_name_is_found_and_all_are_in_their_order() -> None:
    headers = sent((b"a", b"1"), (b"b", b"\xe9"), (b"a", b"2"))

    assert (headers.get(b"a"), headers.all(b"a")) == ("1", ["1", "2"])
    assert (headers.get(b"b"), headers.all(b"b")) == ("é", ["é"])
    assert (headers.get(b"c"), headers.all(b"c")) == (None, [])
    assert (b"a" in headers, b"c" in headers) == (True, False)


def test_absent_and_empty_are_two_cases() -> None:
    assert sent((b"a", b"")).get(b"a") == ""
    assert b"a" in sent((b"a", b""))


def test_several_credentials_are_none() -> None:
    """Which of them would count is nobody's guess."""
    one, other = (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")

    assert authorization(sent(one, other)) == "Bearer a, Bearer b"
    assert authorization(sent(one)) == "Bearer a"
    assert authorization(sent((b"authorization", b""))) is None
    assert authorization(sent()) is None
