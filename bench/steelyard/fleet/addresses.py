"""Where a fleet listens and connects, and the refusal to do so in the open."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from msgspec import Struct

from steelyard.errors import OptionError, Refusal

PORT = 8786
OPEN = (
    "Dask unpickles what it is sent: whoever can connect can run code here. Without TLS a fleet "
    "stays on the loopback"
)


class Place(Struct, frozen=True, kw_only=True):
    """A host and a port; port 0 is one that is free."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether nobody else can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def url(self, *, secure: bool) -> str:
        """Return it as Dask writes addresses."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if secure else 'tcp'}://{host}:{self.port}"


def parse(text: str, where: str, port: int = PORT) -> Place:
    """Return HOST, HOST:PORT or tls://HOST:PORT as a place; raise OptionError."""
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme not in {"tls", "tcp"}:
        raise OptionError(f"{where}: {text!r}: expected HOST:PORT, such as 192.168.1.10:{PORT}")
    host, bracket, after = rest.partition("]")
    if rest.startswith("["):
        name, number = host[1:], after.removeprefix(":")
    elif rest.count(":") > 1:
        name, number = rest, ""
    else:
        name, _, number = rest.partition(":")
    if not name or (rest.startswith("[") and not bracket) or (number and not _is_port(number)):
        raise OptionError(f"{where}: {text!r}: expected HOST:PORT, such as 192.168.1.10:{PORT}")
    return Place(host=name, port=int(number) if number else port)


def check(place: Place, what: str, certificates: Path | None) -> None:
    """Raise Refusal where `what` would be open to others without TLS."""
    if certificates is None and not place.loopback:
        raise Refusal(
            f"{what} {place.host}: not without TLS. {OPEN}.\n"
            "try: leave --no-tls out (steelyard fleet certificates makes them)"
        )


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 1 << 16
