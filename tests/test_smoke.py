def test_gateway_answers(gateway):
    assert gateway.data("{ contacts(first: 3) { nodes { name } } }")
