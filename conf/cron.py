"""Which lines of cron, and which time zones, a timer may go by."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator

from conf.faults import nearest
from conf.types import Text

FIELDS = 5
ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def check_cron(line: str) -> str:
    """`line` if its five fields (minute, hour, day, month, weekday) name a moment, else ValueError."""
    # It takes 50 ms, which only those pay who have timers.
    from croniter import CroniterBadDateError, CroniterError, croniter

    if len(line.split()) != FIELDS:
        raise ValueError(
            f"{line!r} has not the five fields minute, hour, day, month, weekday; such as */5 * * * *"
        )
    try:
        croniter(line, ANY_DAY).get_next(datetime)
    except CroniterBadDateError:
        raise ValueError(f"{line!r} names a moment that never comes") from None
    except (CroniterError, LookupError, ValueError) as error:
        raise ValueError(f"{line!r} is no line of cron ({error}); such as */5 * * * *") from None
    return line


def check_timezone(name: str) -> str:
    """`name` if it is a time zone of the IANA database, such as Asia/Shanghai, else ValueError."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        near = nearest(name, sorted(available_timezones()))
        remedy = f"did you mean {near}?" if near else "write one such as Asia/Shanghai or UTC"
        raise ValueError(f"{name!r} is no time zone; {remedy}") from None
    return name


CronLine = Annotated[Text, AfterValidator(check_cron)]
TimeZone = Annotated[Text, AfterValidator(check_timezone)]
