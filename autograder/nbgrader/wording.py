"""Say times and numbers in words."""

from __future__ import annotations

from datetime import datetime, timedelta


def span(time: timedelta) -> str:
    """Say how long something is, in its two largest units."""
    minutes = int(time.total_seconds()) // 60
    if minutes < 1:
        return f"{int(time.total_seconds())} s"
    parts = [(minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")]
    while not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{value} {unit}" for value, unit in parts[:2] if value)


def local(moment: datetime, like: datetime | None = None) -> str:
    """Say a moment in the time zone of another one, or of this machine."""
    return moment.astimezone(like.tzinfo if like is not None else None).strftime("%Y-%m-%d %H:%M %Z")


def count(number: int, one: str, many: str) -> str:
    """Say how many there are."""
    return f"{number} {one if number == 1 else many}"
