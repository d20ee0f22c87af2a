"""Where serve listens: real ports on this machine's own addresses."""

import socket

import pytest

from devtools import listening as module
from devtools.cache import SetupError
from devtools.listening import listening


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def two_ports() -> int:
    """A port that is free, and so is the next."""
    for first in range(20000, 60000, 7):
        try:
            with socket.create_server(("127.0.0.1", first)), socket.create_server(("127.0.0.1", first + 1)):
                return first
        except OSError:
            continue
    raise AssertionError("no two free ports")


@pytest.mark.parametrize(
    ("listen", "host", "to_others"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("0.0.0.0", "127.0.0.1", True),
        pytest.param("::1", "[::1]", False, marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6")),
        pytest.param("::", "[::1]", True, marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6")),
        pytest.param("0.0.0.0,::", "127.0.0.1", True, marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6")),
    ],
)
def test_browser_gets_an_address_that_reaches_the_server(listen, host, to_others):
    port = two_ports()
    place = listening(listen, port)
    assert place.url == f"http://{host}:{port}"
    assert (place.listen, place.port, place.to_others) == (listen, port, to_others)


def test_spaces_behind_commas_are_not_handed_to_the_host():
    assert listening(" 127.0.0.1, ::1" if has_ipv6() else " 127.0.0.1", None).listen.split(",")[0] == "127.0.0.1"


def test_next_free_port_is_taken_where_none_is_named(monkeypatch):
    first = two_ports()
    monkeypatch.setattr(module, "DEFAULT_PORT", first)
    with socket.create_server(("127.0.0.1", first)):
        assert listening("127.0.0.1", None).port == first + 1
        assert listening("0.0.0.0", None).port == first + 1
        monkeypatch.setattr(module, "_PORTS_TRIED", 1)
        with pytest.raises(SetupError, match="--port"):
            listening("127.0.0.1", None)
    assert listening("127.0.0.1", None).port == first


def test_port_of_a_server_that_has_just_ended_is_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            connection, _ = server.accept()
            connection.close()  # first, so that the server's side is what waits
            client.recv(1)
    assert listening("127.0.0.1", port).port == port
