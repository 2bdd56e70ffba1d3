"""What the mails must say, worked out from the demo's database without the code that sends them."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes, policy
from urllib.parse import urlsplit

from demo_site.publication.models import PostAuthor, PostPage
from wagtail_lifecycle.models import DailyPageViews

#: A page of the report in the text part: its views, maybe the change, its title; its address below.
PAGE_LINE = re.compile(r"^([\d,.]+)(?: \([^)]*\))?  +\S.*\n<([^>]+)>", re.MULTILINE)
#: In English or in German, with the thousands as the language writes them.
TOTAL_LINE = re.compile(r"^([\d,.]+) (?:views?|Aufrufe?)\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Report:
    """One author's numbers: views by the path of the page."""

    total: int
    pages: dict[str, int]


def posts() -> list[PostPage]:
    return list(PostPage.objects.live().public().order_by("pk"))


def reports(day: date, viewed: Counter[int]) -> dict[str, Report]:
    """The report of each author by address: the day's views in the database and those of this proof."""
    counts = Counter(viewed)
    for page_id, count in DailyPageViews.objects.filter(day=day).values_list("page_id", "count"):
        counts[page_id] += count
    paths = {post.pk: urlsplit(post.full_url).path for post in posts()}
    pages: dict[str, dict[str, int]] = defaultdict(dict)
    for post_id, email in PostAuthor.objects.filter(post__in=paths).values_list("post_id", "user__email"):
        if counts[post_id]:
            pages[email][paths[post_id]] = counts[post_id]
    return {email: Report(total=sum(views.values()), pages=views) for email, views in pages.items()}


def problems(mails: list[dict[str, object]], expected: dict[str, Report]) -> list[str]:
    """Sentences about everything that is not as it should be."""
    received = Counter(rcpt for mail in mails for rcpt in mail["rcpts"])  # type: ignore[attr-defined]
    found = [f"{email} should have got a mail and has none." for email in expected.keys() - received.keys()]
    found += [f"{email} got a mail and should not." for email in received.keys() - expected.keys()]
    found += [f"{email} got {count} mails instead of one." for email, count in received.items() if count > 1]
    for mail in mails:
        [email] = mail["rcpts"]  # type: ignore[misc]
        if email in expected:
            found += (f"{email}: {problem}" for problem in _problems_of(text_of(mail), expected[email]))
    return found


def _problems_of(text: str, expected: Report) -> list[str]:
    total = TOTAL_LINE.search(text)
    shown = {urlsplit(url).path: _number(views) for views, url in PAGE_LINE.findall(text)}
    found = []
    if not total or _number(total[1]) != expected.total:
        found.append(f"the mail says {total[0] if total else 'nothing'}, expected are {expected.total} views.")
    if not shown:
        found.append("the mail shows no page.")
    for path, views in shown.items():
        if expected.pages.get(path) != views:
            found.append(f"the mail says {views} views of {path}, expected are {expected.pages.get(path, 0)}.")
    return found


def text_of(mail: dict[str, object]) -> str:
    raw = str(mail["raw"]).encode()
    part = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    return part.get_content().replace("\r\n", "\n") if part else ""


def _number(text: str) -> int:
    return int(re.sub("[,.]", "", text))
