"""Where `dev.py serve` listens: the addresses that --listen names, and a port that is free on all of them."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
from dataclasses import dataclass

from .cache import SetupError

DEFAULT_PORT = 8188
_PORTS_TRIED = 100


@dataclass(frozen=True)
class Listening:
    """`listen` is what the host takes, `url` the address for a browser on this machine; `to_others` says whether other
    machines can reach it too."""

    listen: str
    port: int
    url: str
    to_others: bool


@dataclass(frozen=True)
class _Address:
    name: str
    family: int
    socket_address: tuple

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        return ipaddress.ip_address(self.socket_address[0])

    def overlaps(self, other: _Address) -> bool:
        same_family = self.family == other.family
        return same_family and (self.ip == other.ip or self.ip.is_unspecified or other.ip.is_unspecified)


def listening(listen: str, port: int | None) -> Listening:
    """Takes one address or several with commas, and `port`, or the first free one from 8188 on; each is really bound
    once. SetupError where that fails."""
    addresses: list[_Address] = []
    for name in listen.split(","):
        for address in _resolve(name.strip()):
            for other in addresses:
                if address.overlaps(other):
                    raise SetupError(f"--listen {listen}: {other.name} and {address.name} overlap; leave one out.")
            addresses.append(address)
    ports = range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED) if port is None else [port]
    free = next((number for number in ports if _is_free(addresses, number)), None)
    if free is None and port is None:
        raise SetupError(f"All ports from {ports[0]} to {ports[-1]} are taken; choose another with --port.")
    if free is None:
        raise SetupError(f"Port {port} is taken by another program; choose another with --port.")
    return Listening(
        listen=",".join(name.strip() for name in listen.split(",")),
        port=free,
        url=_url(addresses[0], free),
        to_others=not all(address.ip.is_loopback for address in addresses),
    )


def _resolve(name: str) -> list[_Address]:
    # The host would take an empty name for all addresses of this machine
    try:
        found = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM) if name else []
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise SetupError(
            f"--listen: got {name!r}, wanted an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them."
        )
    return [_Address(name, family, socket_address) for family, _, _, _, socket_address in found]


def _is_free(addresses: list[_Address], port: int) -> bool:
    with contextlib.ExitStack() as probes:
        for address in addresses:
            try:
                probe = probes.enter_context(socket.socket(address.family, socket.SOCK_STREAM))
                if os.name == "posix":  # as the host does, so that a server that has just ended is not in the way
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if address.family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address.socket_address[0], port, *address.socket_address[2:]))
                probe.listen()
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
                raise SetupError(_refusal(address, port, error)) from None
    return True


def _refusal(address: _Address, port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"Port {port} is not for this user ({error.strerror}); choose one from 1024 on with --port."
    return (
        f"--listen {address.name}: {address.ip} is no address of this machine ({error.strerror}); 127.0.0.1 always is."
    )


def _url(address: _Address, port: int) -> str:
    ip = address.ip
    if ip.is_unspecified:
        ip = ipaddress.ip_address("127.0.0.1" if ip.version == 4 else "::1")
    return f"http://[{ip}]:{port}" if ip.version == 6 else f"http://{ip}:{port}"
