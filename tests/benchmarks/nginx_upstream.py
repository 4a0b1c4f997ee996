"""The fast upstream: nginx with the three providers' answers in its configuration, one process on one core."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.benchmarks.tools import find
from tests.benchmarks.wire_bodies import LIST_LENGTHS, PROVIDERS, ROUTES, Route, gately_list, rendered
from tests.ports import lasting_port

READY_SECONDS = 10.0
# One process, no logs, connections that are never closed for their age; new ids are the clock and the connection.
CONFIGURATION = """daemon off; master_process off; pid nginx.pid; error_log error.log error; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; default_type application/json;
  keepalive_requests 1000000000; keepalive_timeout 600s; open_file_cache max=100 inactive=600s;
  open_file_cache_valid 600s; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  map $msec $clock_digits {{ "~(?<seconds>[0-9]{{6}})[.](?<millis>[0-9]{{3}})$" "$seconds$millis"; }}
  map $connection_requests $turn_digits {{
    "~(?<turn>[0-9]{{3}})$" $turn; "~^[0-9]{{2}}$" "0$connection_requests"; default "00$connection_requests";
  }}
  map $connection $line_digits {{
    "~(?<line>[0-9]{{3}})$" $line; "~^[0-9]{{2}}$" "0$connection"; default "00$connection";
  }}
  map "" $new_id {{ default "1$clock_digits$turn_digits$line_digits"; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /calls {{ stub_status; }}
{locations}
  }}
}}
"""


class UpstreamFailed(Exception):
    """nginx did not start; the text is what it said."""


class NginxUpstream:
    """Knows where it listens and how many calls it has had."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.pid = process.pid
        self._client = httpx.Client(trust_env=False)
        self._questions = 0

    def calls(self) -> int:
        """Calls so far, without those that ask for this number."""
        self._questions += 1
        return read_requests(self._client.get(f"{self.url}/calls").text) - self._questions

    def close(self) -> None:
        self._client.close()


def read_requests(status: str) -> int:
    """The third figure of the line `accepts handled requests` of nginx's stub_status."""
    found = re.search(r"server accepts handled requests\s+\d+ \d+ (\d+)", status)
    if found is None:
        raise ValueError(f"not a status of nginx: {status!r}")
    return int(found[1])


def configuration(port: int) -> str:
    return CONFIGURATION.format(port=port, locations="\n".join(_locations()))


@contextlib.contextmanager
def running(folder: Path, core: int) -> Iterator[NginxUpstream]:
    """
    Raises:
        UpstreamFailed: with what nginx said.
    """
    port = lasting_port()
    lists = folder / "lists"
    lists.mkdir()
    for length in LIST_LENGTHS:
        (lists / f"{length}.json").write_text(gately_list(length), encoding="utf-8")
    (folder / "nginx.conf").write_text(configuration(port), encoding="utf-8")
    nginx = find("nginx") or "nginx"
    command = ["taskset", "-c", str(core), nginx, "-p", f"{folder}/", "-e", "error.log", "-c", "nginx.conf"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        upstream = NginxUpstream(port, process)
        try:
            _wait(upstream, process)
            yield upstream
        finally:
            upstream.close()
            process.kill()


def _wait(upstream: NginxUpstream, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{upstream.url}/calls", trust_env=False)
            # The count of this question is not known to the upstream yet.
            upstream._questions += 1
            return
        time.sleep(0.02)
    process.kill()
    said = process.stderr.read().decode() if process.stderr else ""
    raise UpstreamFailed(f"nginx did not start: {said}")


def _locations() -> Iterator[str]:
    for provider in PROVIDERS:
        routes = {route.path: route for route in ROUTES if route.provider == provider}
        for route in routes.values():
            if route.takes_id:
                yield f"    location ~ ^/{provider}{route.path}([0-9]+)$ {{ {_answer(route, '$1')} }}"
            else:
                rest = "try_files /$arg_limit.json =404;" if provider == "gately" else "return 404;"
                answer = _answer(route, "$new_id")
                yield (
                    f"    location = /{provider}{route.path} {{"
                    f" if ($request_method = POST) {{ {answer} }} root lists; {rest} }}"
                )


def _answer(route: Route, remote_id: str) -> str:
    # ${name} would be taken for a part of the text after it where a digit follows; a quote or bracket always does.
    return f"return {route.status} '{rendered(route.template, remote_id)}';"
