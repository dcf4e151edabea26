"""host:port as text: its parts, the places that it stands for, and listening there. No TensorFlow."""

from __future__ import annotations

import ipaddress
import socket

Places = frozenset[tuple[str, int]]  # IP address and port


def is_host_and_port(address: str) -> bool:
    """Whether `address` is of the form host:port, an IPv6 host in brackets as in [::1]:2222."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        return False
    if host.startswith("[") and host.endswith("]"):
        return ":" in host
    return bool(host) and not set(host) & set("[]:")


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of host:port, the host without brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def joined(host: str, port: int) -> str:
    """host:port, with the brackets that an IPv6 host needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def places(address: str) -> Places:
    """Where `address`, host:port, leads from this machine. Raises OSError where its host cannot be resolved."""
    host, port = host_and_port(address)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return frozenset((_same_for_both(str(place[0])), port) for *_, place in found)


def _same_for_both(ip: str) -> str:
    """One name for what is one place in IPv4 and in IPv6, as who listens does so in both."""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return "127.0.0.1" if address.is_loopback else str(address.ipv4_mapped or address)
    return str(address)


def listen(port: int) -> socket.socket:
    """A socket that listens on `port` of all of this machine's addresses. Raises OSError where it cannot be had.

    Like TensorFlow's server, which takes the port over: in IPv4 and, where the machine has that, in IPv6.
    """
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, backlog=128, dualstack_ipv6=True)
    return socket.create_server(("", port), backlog=128)
