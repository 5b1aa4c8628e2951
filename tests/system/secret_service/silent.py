"""D-Bus service that owns a name, logs calls to a file and never responds: `silent.py NAME FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from jeepney import HeaderFields, MessageType, message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import Proxy, open_dbus_connection  # type: ignore[import-untyped]

name, calls = sys.argv[1], Path(sys.argv[2])
with open_dbus_connection() as bus:
    Proxy(message_bus, bus).RequestName(name)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        message = bus.receive()
        if message.header.message_type is MessageType.method_call:
            with calls.open("a", encoding="utf-8") as file:
                file.write(f"{message.header.fields[HeaderFields.member]}\n")
