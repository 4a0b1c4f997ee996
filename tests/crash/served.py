"""`gateway serve` as a process that is killed and started again on the same port and database."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.ports import lasting_port

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).parent / "gateway"
PATIENCE_SECONDS = 60.0


@dataclass
class Served:
    """Its standard error is collected in a file: that is where the gateway reports what went wrong."""

    name: str
    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=lasting_port)
    _popen: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def memory_mib(self) -> float:
        """Resident memory of the process (Linux)."""
        assert self._popen is not None
        status = Path(f"/proc/{self._popen.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def start(self) -> None:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with self._lock, self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [SCRIPT, "serve"],
                cwd=self.folder,
                env={**inherited, "PYTHONPATH": str(ROOT), "GATEWAY_PORT": str(self.port), **self.environment},
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        with httpx.Client(trust_env=False, verify=False, timeout=5) as client:
            while time.monotonic() < until:
                code = self._popen.poll() if self._popen else None
                if code is not None:
                    raise AssertionError(f"{self.name} ended by itself with {code}:\n{self.log.read_text()[-3000:]}")
                with contextlib.suppress(httpx.TransportError):
                    if client.get(f"{self.url}/health/ready").status_code == 200:
                        return
                time.sleep(0.02)
        raise AssertionError(f"{self.name} was never ready:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> int:
        """Ends it with SIGKILL, at once, and returns the process id that it had."""
        with self._lock:
            assert self._popen is not None
            assert self._popen.poll() is None, f"{self.name} was not running:\n{self.log.read_text()[-3000:]}"
            self._popen.send_signal(signal.SIGKILL)
            self._popen.wait(timeout=PATIENCE_SECONDS)
            return self._popen.pid

    def close(self) -> None:
        with self._lock:
            if self._popen is not None and self._popen.poll() is None:
                self._popen.kill()
                self._popen.wait(timeout=PATIENCE_SECONDS)
