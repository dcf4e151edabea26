"""Prices of devices, as given with --price: per device and hour, all in one currency."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from results.reference.hardware import matches, words

_ENTRY = re.compile(r"(?P<name>[^:]+):(?P<amount>[0-9.eE+-]+)\s*(?P<currency>[A-Za-z]{3})?")


class PriceError(Exception):
    """Prices that cannot be used; says which and why."""


class MixedCurrenciesError(PriceError):
    """Prices that can be read, but not held against each other."""


@dataclass(frozen=True)
class Prices:
    """What a device costs an hour, by the name given, and in which currency."""

    per_hour: Mapping[str, float] = field(default_factory=dict)
    currency: str = ""

    def of(self, accelerator: str) -> float | None:
        """The price of one device an hour: of the name with the most words that means it; None where none does."""
        found = [name for name in self.per_hour if matches(name, accelerator)]
        return self.per_hour[max(found, key=lambda name: len(words(name)))] if found else None


NO_PRICES = Prices()


def parse(text: str, currency: str = "") -> Prices:
    """Read `K80:0.45,P100:1.46`; an amount may carry its currency (`0.45EUR`), else `currency` is meant.

    Raise PriceError where an entry is unfit, a device has two prices, or there is not exactly one currency; of several
    currencies MixedCurrenciesError.
    """
    prices: dict[str, float] = {}
    currencies: dict[str, str] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        name, amount, own = _entry(entry)
        twin = next((known for known in prices if set(words(known)) == set(words(name))), None)
        if twin is not None:
            raise PriceError(f"--price: '{name}' has two prices. Give one.")
        prices[name] = amount
        currencies[name] = (own or currency).upper()
    if text and not prices:
        raise PriceError(f"--price={text}: no price in it. Write it as NAME:AMOUNT, as in K80:0.45,P100:1.46.")
    return Prices(prices, _one_currency(currencies, currency.upper()))


def present(prices: Prices, accelerators: Iterable[str]) -> tuple[Prices, list[str]]:
    """Return the prices of devices that are among `accelerators`, and a message for each other one.

    Raise PriceError where several mean one accelerator equally.
    """
    known = list(filter(None, accelerators))
    kept = {name: amount for name, amount in prices.per_hour.items() if any(matches(name, each) for each in known)}
    for accelerator in known:
        found = sorted((len(words(name)), name) for name in prices.per_hour if matches(name, accelerator))
        if len(found) > 1 and found[-1][0] == found[-2][0]:
            raise PriceError(
                f"--price: both '{found[-2][1]}' and '{found[-1][1]}' mean {accelerator}. Give one of them."
            )
    there = ", ".join(known) or "none"
    absent = [
        f"--price: no record of this report ran on '{name}'. Accelerators in it: {there}."
        for name in prices.per_hour
        if name not in kept
    ]
    return Prices(kept, prices.currency if kept else ""), absent


def _entry(entry: str) -> tuple[str, float, str]:
    found = _ENTRY.fullmatch(entry)
    try:
        amount = float(found["amount"]) if found else math.nan
    except ValueError:
        amount = math.nan
    if not found or not words(found["name"]) or not 0 < amount < math.inf:
        way_out = "write it as NAME:AMOUNT per device and hour, above zero, as in K80:0.45"
        raise PriceError(f"--price: cannot read '{entry}': {way_out}.")
    return found["name"].strip(), amount, found["currency"] or ""


def _one_currency(currencies: Mapping[str, str], stated: str) -> str:
    distinct = set(currencies.values()) | ({stated} if stated and currencies else set())
    if len(distinct) > 1:
        told = ", ".join(f"{name} in {currency or 'none'}" for name, currency in currencies.items())
        against = f", --currency is {stated}" if stated else ""
        raise MixedCurrenciesError(f"--price mixes currencies: {told}{against}. Convert them to one.")
    if "" in distinct:
        raise PriceError("--price has no currency. Add one, as in --currency=USD.")
    return distinct.pop() if distinct else ""
