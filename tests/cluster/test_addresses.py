"""host:port as text, and listening in IPv4 and IPv6 at once."""

import socket

import pytest

from benchmarks.cluster.addresses import host_and_port, is_host_and_port, joined, listen, places
from tests.cluster.conftest import free_port


@pytest.mark.parametrize("address", ["localhost:1", "10.0.0.1:65535", "[::1]:2222", "[fe80::1%eth0]:2222"])
def test_addresses(address):
    assert is_host_and_port(address)
    assert joined(*host_and_port(address)) == address


@pytest.mark.parametrize(
    "address",
    ["", "localhost", ":2222", "localhost:", "localhost:0", "a:65536", "::1:2222", "[::1]", "[]:2222", "[a]:1"],
)
def test_what_is_no_address(address):
    assert not is_host_and_port(address)


def test_one_place_has_many_names():
    assert places("localhost:2222") & places("127.0.0.1:2222")
    assert places("[::1]:2222") == places("[::ffff:127.0.0.1]:2222") == places("127.0.0.1:2222")
    assert not places("127.0.0.1:2222") & places("127.0.0.1:2223")
    assert not places("127.0.0.1:2222") & places("127.0.0.2:2222")


def test_who_listens_is_reached_both_ways():
    port = free_port()
    with listen(port):
        hosts = ["127.0.0.1", "::1"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
        for host in hosts:
            socket.create_connection((host, port), timeout=60).close()
        with pytest.raises(OSError, match="Address already in use"):
            listen(port)
