"""What is wrong with the addresses of a cluster: as text, and on this machine. No TensorFlow."""

from __future__ import annotations

import itertools

from benchmarks.cluster import addresses
from benchmarks.cluster.addresses import host_and_port, is_host_and_port
from benchmarks.cluster.cluster import Roles


def malformed(roles: Roles) -> list[str]:
    """Addresses that are none."""
    return [
        f"{roles.place_of(job)} names {address!r}, which is not host:port. Write it as in host:2222, or "
        "[::1]:2222 for an IPv6 address."
        for job, listed in roles.hosts.items()
        for address in listed
        if not is_host_and_port(address)
    ]


def duplicates(roles: Roles) -> list[str]:
    """Addresses that stand there twice."""
    every = [address for listed in roles.hosts.values() for address in listed]
    twice = sorted({address for address in every if every.count(address) > 1})
    return [f"{address} stands twice among the hosts: each process needs a port of its own." for address in twice]


def unusable(roles: Roles) -> list[str]:
    """What is wrong with well-formed addresses as they are on this machine: names are resolved, its port is tried."""
    found = []
    places: dict[str, addresses.Places] = {}
    for job, listed in roles.hosts.items():
        for address in listed:
            try:
                places[address] = addresses.places(address)
            except OSError as error:  # noqa: PERF203  all of them are named
                host, reason = host_and_port(address)[0], error.strerror or error
                found.append(f"{roles.place_of(job)} names {address}, and {host} cannot be resolved here: {reason}.")
    found += [
        f"{one} and {other} are the same address: each process needs a port of its own."
        for one, other in itertools.combinations(places, 2)
        if places[one] & places[other]
    ]
    return found + _port_in_use(roles.hosts[roles.job][roles.index])


def _port_in_use(address: str) -> list[str]:
    _, port = host_and_port(address)
    try:
        addresses.listen(port).close()
    except OSError as error:
        return [
            f"port {port} of {address}, where this process is to listen, cannot be had: {error.strerror}. End what "
            "uses it, or give another."
        ]
    return []
