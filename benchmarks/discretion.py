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
_SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|PASSCODE|CREDENTIAL|AUTHORI[SZ]ATION|(?<![A-Z])AUTH(?!OR)"
    r"|(?<![A-Z])(PASS|PW|PWD|PAT|JWT|BEARER|COOKIE)(?![A-Z])",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
_IN_QUERY = re.compile(r"(?P<name>[?&](?P<word>[^=&\s]*)=)[^&\s]+")
# Of addresses, which open without a login then; "design" is none.
_SIGNATURE = re.compile("signature|(?<![a-z])sig(?![a-z])", re.IGNORECASE)
_NAMES_HOSTS = re.compile(r"^TF_CONFIG$|HOST(NAME|S|ID)?$|ADDR|COMM_ID")
_ADDRESS = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?=:\d)")
_LEAST = 4  # letters of a host's name that are looked for in free text: shorter ones stand there by chance
_NUMBER = 8  # digits from which on a number is no count
_BEFORE, _AFTER, _PORT = "(?<![a-z0-9])", "(?![a-z0-9])", r"(?=\]?:\d)"  # of a name
# Paths and addresses, and in place of a value a file's name or a name with a suffix: a short name in these is a host's.
_LIKE_A_PLACE = re.compile(r"""(?<![^\s=,:'"(])(?:/|~|\.{1,2}/|\w+://)\S*|(?<=@)[\w.-]+|(?<![^=,])\w+[.:_-][\w.:-]+""")
_SALT = b"a CNN training benchmark for TensorFlow 2"  # machine-id(5): never show it as it is, but keyed by application


def is_secret(name: str) -> bool:
    """Whether what has this name is likely a secret."""
    return bool(_SECRET.search(name))


def without_secrets(text: str) -> str:
    """`text` without what addresses in it have to log in with."""

    def hidden(found: re.Match[str]) -> str:
        secret = is_secret(found["word"]) or _SIGNATURE.search(found["word"])
        return f"{found['name']}{HIDDEN}" if secret else found[0]

    return _IN_QUERY.sub(hidden, _LOGIN.sub(f"{HIDDEN}@", text))


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
    """Takes names out of what is recorded: hosts of `addresses` (host:port), and this machine's own, in full and short.

    A name is one whatever its case, and also with something before or after it that is neither letter nor digit:
    /tmp/node17.log and node17-ib0 have that of node17, node170 has not. Two kinds may as well mean something else.
    Those of `vocabulary`, words that a record has whatever a machine is called, and those of one letter or of a few
    digits, are taken out of addresses only; other short ones only of what looks like a path, an address or a file.
    """

    def __init__(self, addresses: Iterable[str], vocabulary: Iterable[str] = (), own: str | None = None) -> None:
        self._known = {each.lower() for each in vocabulary}
        self._pseudonyms: dict[str, str] = {}
        hosts = list(dict.fromkeys(host.lower() for host in map(_host, addresses) if _is_told(host)))
        self._pseudonyms |= {host: f"host-{number}" for number, host in enumerate(hosts, 1)}
        for host in hosts:
            self._pseudonyms.setdefault(_in_short(host), self._pseudonyms[host])
        own = platform.node() if own is None else own
        for name, word_for in ((own, THIS_HOST), (_in_short(own), THIS_HOST_IN_SHORT)):
            if _is_told(name) and not (len(name) < _LEAST and name.lower() in self._known):
                self._pseudonyms.setdefault(name.lower(), word_for)
        # In one pass, the longest first: what stands for a name may be another one.
        longest_first = sorted(self._pseudonyms, key=len, reverse=True)
        self._names = _any_of(self._pattern(name) for name in longest_first)
        short = [name for name in longest_first if len(name) < _LEAST and not self._is_a_word(name)]
        self._short_names = _any_of(rf"{_BEFORE}{re.escape(name)}{_AFTER}" for name in short)

    def _pattern(self, name: str) -> str:
        escaped = re.escape(name)
        if _is_address(name):
            return rf"(?<![\w.:-]){escaped}(?![\w-]|\.\w)"
        if self._is_a_word(name) or len(name) < _LEAST:
            return rf"(?<![\w./:-]){escaped}{_PORT}"
        return rf"{_BEFORE}{escaped}{_AFTER}"

    def _is_a_word(self, name: str) -> bool:
        """Whether `name` stands in records by itself, too."""
        return name in self._known or len(name) == 1 or (name.isdigit() and len(name) < _NUMBER)

    def __call__(self, text: str) -> str:
        """`text` without them."""
        text = self._names.sub(self._pseudonym, text)
        text = _LIKE_A_PLACE.sub(lambda found: self._short_names.sub(self._pseudonym, found[0]), text)
        return _ADDRESS.sub(lambda found: found[0] if _is_loopback(found[1]) else THIS_HOST, text)

    def _pseudonym(self, found: re.Match[str]) -> str:
        return self._pseudonyms[found[0].lower()]

    def address(self, text: str) -> str:
        """The address `text`, host:port or a host alone, without the name."""
        host = _host(text)
        return text.replace(host, self._pseudonyms.get(host.lower(), host), 1)


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
    return name if _is_address(name) else name.partition(".")[0]


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or "(?!)", re.IGNORECASE)


def _is_told(host: str) -> bool:
    """Whether `host` is a name or address that tells one machine from others."""
    return bool(host) and not _is_loopback(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host(address: str) -> str:
    """The host of host:port, of [::1]:port or of itself."""
    match = re.fullmatch(r"\[(.+)\](?::\d+)?|([^:]+)(?::\d+)?", address.strip())
    return (match[1] or match[2]) if match else address.strip()


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback if _is_address(host) else host.lower() == "localhost"
