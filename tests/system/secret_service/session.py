"""Desktop sessions for tests: a separate D-Bus with GNOME's Secret Service, or with a service that never responds.

The bus starts no services, and the user's own session is not touched.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.system.needs import need

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET_SERVICE = "org.freedesktop.secrets"
PROMPTER = "org.gnome.keyring.SystemPrompter"

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={directory}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

# One process waits for the name: starting a process for every check would take most of the time of these tests.
_WAIT_FOR_OWNER = """
import sys, time
from jeepney import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection
bus = Proxy(message_bus, open_dbus_connection())
give_up = time.monotonic() + 30
while not bus.NameHasOwner(sys.argv[1])[0]:
    assert time.monotonic() < give_up, f"nobody owns {sys.argv[1]}"
    time.sleep(0.01)
"""


@dataclass(frozen=True)
class Session:
    """A desktop session: the environment for its programs, and a directory that is removed with it."""

    environment: dict[str, str]
    directory: Path

    @contextlib.contextmanager
    def program(self, *words: str, stdin: bytes = b"") -> Iterator[subprocess.Popen[bytes]]:
        """Start a program in the session, and kill it at the end of the context."""
        process = subprocess.Popen(
            words,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with process:
            try:
                assert process.stdin is not None
                process.stdin.write(stdin)
                process.stdin.close()
                yield process
            finally:
                process.kill()

    @contextlib.contextmanager
    def silent(self, name: str) -> Iterator[Path]:
        """Start a service that owns `name` and never responds; yield the file with the names of the called methods."""
        calls = self.directory / f"{name}.calls"
        with self.program(sys.executable, str(_HERE / "silent.py"), name, str(calls)) as service:
            assert service.stdout is not None
            assert service.stdout.readline() == b"ready\n"
            yield calls

    @contextlib.contextmanager
    def gnome_keyring(self, password: str | None) -> Iterator[None]:
        """Start GNOME's Secret Service with an unlocked login keyring; without a password it has no keyring."""
        daemon = need("gnome-keyring-daemon", "gnome-keyring")
        words = [daemon, "--foreground", "--components=secrets", *([] if password is None else ["--unlock"])]
        with self.program(*words, stdin=(password or "").encode()) as process:
            self._python(_WAIT_FOR_OWNER, SECRET_SERVICE)
            assert process.poll() is None, "gnome-keyring-daemon ended"
            yield

    def lock(self) -> None:
        """Lock the default keyring."""
        self._python(
            "import secretstorage; bus = secretstorage.dbus_init(); c = secretstorage.Collection(bus); c.lock(); "
            "assert c.is_locked()"
        )

    def _python(self, code: str, *arguments: str) -> str:
        words = [sys.executable, "-c", code, *arguments]
        return subprocess.run(words, env=self.environment, check=True, capture_output=True, text=True).stdout


def isolated_environment(home: Path) -> dict[str, str]:
    """Return the environment of a user without a desktop session and settings."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_ROOT),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
    }


@contextlib.contextmanager
def desktop_session(home: Path) -> Iterator[Session]:
    """Start a session bus without services."""
    dbus_daemon = need("dbus-daemon", "dbus-daemon")
    # The path of a socket has at most 107 bytes, so it cannot be in the directory of the test.
    with tempfile.TemporaryDirectory(prefix="oncallctl-") as runtime:
        configuration = home / "bus.conf"
        configuration.write_text(_BUS.format(directory=runtime), encoding="utf-8")
        words = [dbus_daemon, f"--config-file={configuration}", "--nofork", "--print-address=1"]
        environment = isolated_environment(home) | {"XDG_RUNTIME_DIR": runtime}
        with Session(environment, home).program(*words) as bus:
            assert bus.stdout is not None
            environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
            yield Session(environment, home)
