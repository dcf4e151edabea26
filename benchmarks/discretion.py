"""What a record leaves out, as records are made to be shared: secrets always, names of hosts unless they are asked for.

Secrets are values under a name that speaks of one, and what stands in an address to log in with. The hosts of a
cluster become host-1, host-2 and so on, so that what ran together is still told; those of loopback stay.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.machine.files import ROOT, word

HIDDEN = "(hidden)"
THIS_HOST, THIS_HOST_IN_SHORT = "(host)", "(host in short)"
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|(?<![A-Z])AUTH(?!OR)", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
_IN_QUERY = re.compile(
    r"(?P<name>[?&][^=&\s]*(?:key|token|secret|passw|credential|signature|sig)[^=&\s]*=)[^&\s]+", re.IGNORECASE
)
_NAMES_HOSTS = re.compile(r"^TF_CONFIG$|HOST(NAME|S|ID)?$|ADDR|COMM_ID")
_ADDRESS = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?=:\d)")
_LEAST = 4  # letters of a host's name that are looked for in free text: shorter ones stand there by chance
_SALT = b"a CNN training benchmark for TensorFlow 2"  # machine-id(5): never show it as it is, but keyed by application


def is_secret(name: str) -> bool:
    """Whether what has this name is likely a secret."""
    return bool(_SECRET.search(name))


def without_secrets(text: str) -> str:
    """`text` without what addresses in it have to log in with."""
    return _IN_QUERY.sub(rf"\g<name>{HIDDEN}", _LOGIN.sub(f"{HIDDEN}@", text))


def variable(name: str, value: str, names: bool) -> str:
    """The value of an environment variable as a record may have it; `names`: with those of hosts."""
    if is_secret(name) or (_NAMES_HOSTS.search(name) and not names):
        return HIDDEN
    return without_secrets(value)


def machine_id(root: Path = ROOT) -> str | None:
    """A number that tells this machine from others and leads nowhere; None where it has no id of its own."""
    found = word(root / "etc/machine-id")
    if not found or not re.fullmatch("[0-9a-f]{32}", found):
        return None
    return hmac.new(bytes.fromhex(found), _SALT, hashlib.sha256).hexdigest()[:16]


class Names:
    """Takes names out of what is recorded: hosts of `addresses` (host:port), and this machine's own.

    `vocabulary` are words that mean something else in a record, whatever a machine is called: of these only addresses
    are taken out.
    """

    def __init__(self, addresses: Iterable[str], vocabulary: Iterable[str] = (), own: str | None = None) -> None:
        known = {each.lower() for each in vocabulary}
        self._pseudonyms: dict[str, str] = {}
        for address in addresses:
            host = _host(address)
            if host and not _is_loopback(host):
                self._pseudonyms.setdefault(host, f"host-{len(self._pseudonyms) + 1}")
        own = platform.node() if own is None else own
        for name, word_for in ((own, THIS_HOST), (_in_short(own), THIS_HOST_IN_SHORT)):
            if len(name) >= _LEAST and not _is_loopback(name):
                self._pseudonyms.setdefault(name, word_for)
        self._whole_words = {
            name for name in self._pseudonyms if name.lower() not in known and len(name) >= _LEAST
        }  # others are looked for before a port only

    def __call__(self, text: str) -> str:
        """`text` without them."""
        for name in sorted(self._pseudonyms, key=len, reverse=True):
            after = r"(?![\w-]|\.\w)" if name in self._whole_words else r"(?=\]?:\d)"
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}{after}", self._pseudonyms[name], text)
        return _ADDRESS.sub(lambda found: found[0] if _is_loopback(found[1]) else THIS_HOST, text)

    def address(self, text: str) -> str:
        """The address `text`, host:port or a host alone, without the name."""
        host = _host(text)
        return text.replace(host, self._pseudonyms.get(host, host), 1)


def with_this_host(text: str, own: str | None = None) -> str:
    """`text` of a record as it is meant on this machine, whose name (`own`) stands where that of the other stood."""
    own = platform.node() if own is None else own
    return text.replace(THIS_HOST, own).replace(THIS_HOST_IN_SHORT, _in_short(own))


class AllNames(Names):
    """Leaves everything in, for who asks for that."""

    def __init__(self) -> None:
        super().__init__((), own="")

    def __call__(self, text: str) -> str:
        """`text` as it is."""
        return text


def told(value: Any, names: Names) -> Any:
    """`value`, of plain JSON, with every text in it as a record may have it."""
    if isinstance(value, str):
        return names(without_secrets(value))
    if isinstance(value, Mapping):
        return {key: HIDDEN if is_secret(str(key)) and entry else told(entry, names) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [told(entry, names) for entry in value]
    return value


def told_arguments(arguments: Iterable[str], names: Names) -> list[str]:
    """The arguments of a command as a record may have them."""
    found, hide = [], False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        secret = name.startswith("-") and is_secret(name)
        text = HIDDEN if hide and not argument.startswith("-") else argument
        found.append(f"{name}={HIDDEN}" if secret and equals and value else names(without_secrets(text)))
        hide = secret and not equals
    return found


def _in_short(name: str) -> str:
    return name.partition(".")[0]


def _host(address: str) -> str:
    """The host of host:port, of [::1]:port or of itself."""
    match = re.fullmatch(r"\[(.+)\](?::\d+)?|([^:]+)(?::\d+)?", address.strip())
    return (match[1] or match[2]) if match else address.strip()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
