"""Texts of records, which may come from anywhere, as a terminal can take them. No pandas in it."""


def printable(text: str) -> str:
    """Return `text` on one line and without control characters: a record may come from anywhere."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "?" for c in text).split())


def shown(value: object, limit: int = 60) -> str:
    """Return `value` as printable text of at most `limit` characters."""
    text = printable(str(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"
