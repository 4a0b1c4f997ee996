"""What wrk prints, and what nginx says of its requests."""

from __future__ import annotations

import pytest

from tests.benchmarks.load import LoadFailed, Wrk, read_wrk
from tests.benchmarks.nginx_upstream import configuration, read_requests

FIGURES = (
    'figures {"requests": 250, "microseconds": 2005034, "p50_us": 361018, "p99_us": 650193, "wrong": 3, "failed": 1}'
)
STATUS = "Active connections: 2 \nserver accepts handled requests\n 33 33 8123 \nReading: 0 Writing: 1 Waiting: 1 \n"


def test_the_line_of_figures_is_found_among_what_wrk_says_by_itself() -> None:
    said = f"Running 2s test @ http://127.0.0.1:1/graphql\n  250 requests in 2.01s\n{FIGURES}\n"

    assert read_wrk(said) == Wrk(
        requests=250, microseconds=2_005_034, p50_us=361_018, p99_us=650_193, wrong=3, failed=1
    )


def test_a_load_without_any_answer_is_no_measurement() -> None:
    with pytest.raises(LoadFailed, match="no answer in 2 s"):
        read_wrk(FIGURES.replace("250", "0"))


def test_what_wrk_complains_of_is_told() -> None:
    with pytest.raises(LoadFailed, match="unable to connect"):
        read_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_requests_are_the_third_figure_of_the_status() -> None:
    assert read_requests(STATUS) == 8123


def test_anything_else_is_no_status() -> None:
    with pytest.raises(ValueError, match="not a status"):
        read_requests("<html>404 Not Found</html>")


def test_every_answer_stands_in_the_configuration_with_its_id_filled_in_by_nginx() -> None:
    written = configuration(8123)

    assert "listen 127.0.0.1:8123 " in written
    assert 'location ~ ^/klen/contacts/([0-9]+)$ { return 200 \'{"id":$1,"first_name":"Ada"' in written
    assert 'location = /klen/contacts/create { if ($request_method = POST) { return 201 \'{"id":$new_id,' in written
    # What was left of a template would be sent as it stands.
    assert "<id>" not in written
    assert "<number>" not in written
