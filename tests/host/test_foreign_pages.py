"""What ComfyUI's own check of Host, Origin and Sec-Fetch-Site refuses, and what it does not: docs/security.md says so."""

from __future__ import annotations

import http.client
import urllib.parse

import pytest

FOREIGN = "http://attacker.example"
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MTIzNDU2Nzg5MDEyMzQ1Ng==",
}


def ask(server, path: str = "/system_stats", method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    """The server's answer to a request with these headers and its own Host, if they name no other."""
    address = urllib.parse.urlsplit(server.url).netloc
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=b"{}" if method == "POST" else None, headers={"Host": address} | headers)
        return connection.getresponse()
    finally:
        connection.close()


@pytest.fixture
def reads_sec_fetch_site(host_path):
    if "sec-fetch-site" not in (host_path / "server.py").read_text(encoding="utf-8").lower():
        pytest.skip("this ComfyUI does not read Sec-Fetch-Site")


@pytest.mark.parametrize(("method", "path"), [("GET", "/system_stats"), ("POST", "/prompt"), ("POST", "/interrupt")])
def test_request_of_a_foreign_page_is_refused(server, method, path):
    assert ask(server, path, method, Origin=FOREIGN).status == 403


@pytest.mark.parametrize(("method", "path"), [("GET", "/system_stats"), ("POST", "/prompt"), ("POST", "/interrupt")])
def test_request_that_the_browser_marks_as_foreign_is_refused(server, method, path, reads_sec_fetch_site):
    assert ask(server, path, method, Sec_Fetch_Site="cross-site").status == 403


def test_websocket_of_a_foreign_page_is_refused(server):
    assert ask(server, "/ws", **WEBSOCKET, Origin=server.url).status == 101
    assert ask(server, "/ws", **WEBSOCKET, Origin=FOREIGN).status == 403


def test_no_foreign_page_may_read_an_answer(server):
    for method in ("GET", "OPTIONS"):
        answer = ask(server, method=method, Origin=server.url)
        assert answer.status == 200
        assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control-")]


def test_cross_site_request_is_refused_under_a_foreign_host_too(server, reads_sec_fetch_site):
    assert ask(server, Host="attacker.example", Sec_Fetch_Site="cross-site").status == 403


def test_foreign_host_is_answered(server):
    """The gap of DNS rebinding. When this fails, the host has closed it: say so in docs/security.md."""
    assert ask(server, Host="attacker.example").status == 200
    assert ask(server, Host="attacker.example", Origin=FOREIGN).status == 200


def test_origin_is_compared_for_a_loopback_host_alone(server):
    """The gap of --listen: a page may send to a server in the network, if its browser does not tell that it is foreign."""
    assert ask(server, Host="192.0.2.1:8188", Origin=FOREIGN).status == 200
