"""Is it a person who asks for a page? One rule for the middleware and for access logs."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from crawleruseragents import is_crawler

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What browsers send while they load a page that nobody may ever look at.
PREFETCH_HEADERS: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
#: Longer user agents are not looked at further; also bounds the cache below.
USER_AGENT_LENGTH: Final = 512

# crawler-user-agents lists robots by name, and today's ones. These markers are what robots have in
# common, so that those it does not list (feed readers, monitors, old crawlers) are no people either.
_MARKERS: Final = re.compile(
    r"""
      (?<!cu)bot | crawl | spider | scrap | slurp     # Cubot makes telephones; libwww-FM is Lynx
    | feed | \brss | fetch | aggregat | podcast
    | monitor | uptime | favicon | validat | archiv | link.?check | scann
    | headless | phantomjs
    | https?:// | \bwww\. | [\w.]@\w                  # only robots say whom to complain to
    | \b(?:curl|wget|java|perl|php|ruby|httpx|axios|okhttp|nutch|lwp[\w:-]*)/\d
    | python | libwww(?!-FM) | go-http | http[-_.]?\s?(?:client|request|get|unit)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_person(user_agent: str, headers: Mapping[str, str] | None = None) -> bool:
    """Tell people from robots, scripts and browsers that only load ahead."""
    if headers and any(_is_ahead_of_time(headers.get(name, "")) for name in PREFETCH_HEADERS):
        return False
    return not is_robot(user_agent)


def is_robot(user_agent: str) -> bool:
    return is_empty(user_agent) or _matches(user_agent[:USER_AGENT_LENGTH])


def is_empty(user_agent: str) -> bool:
    # Access logs write a dash for nothing.
    return user_agent.strip() in {"", "-"}


def _is_ahead_of_time(value: str) -> bool:
    # "prefetch;prerender" is one value of Sec-Purpose; "preview" is that of old Safaris.
    lowered = value.lower()
    return any(word in lowered for word in ("prefetch", "prerender", "preview"))


@lru_cache(maxsize=4096)
def _matches(user_agent: str) -> bool:
    return bool(_MARKERS.search(user_agent)) or is_crawler(user_agent)
