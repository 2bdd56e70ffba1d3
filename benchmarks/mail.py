"""The mail that everybody sends: about 5 kB of MJML and 31 kB of HTML, with a table of ten own pages per person."""

from datetime import time
from functools import lru_cache

from django.contrib.auth import get_user_model
from django.template import engines

from benchmarks.lifecycle import pages_of
from tests.support.content import body, paragraph
from wagtail_lifecycle.data_sources import Period
from wagtail_lifecycle.dispatch.editions import live_revision
from wagtail_lifecycle.models import Campaign, Topic
from wagtail_lifecycle.rendering import Links, compile_mail
from wagtail_lifecycle.rendering.pieces import MergeTag, Parts
from wagtail_lifecycle.rendering.tidying import Stretch

STORY = "The harbour was quiet when the first boats came in, and the people on the quay had little to say. " * 2
CHIP = '<span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span>'
SUBJECT = "{{ recipient.first_name | Your }}: views of your pages"


def make_body():
    return body(
        ("heading", {"text": "Good morning", "size": "large"}),
        paragraph(f"Hi {CHIP}, {STORY}"),
        ("page_views", {"heading": "Views of your pages", "when_empty": "Nobody came."}),
        ("heading", {"text": "From the harbour", "size": "small"}),
        paragraph(STORY),
        ("button", {"text": "Read it", "page": None, "url": "https://publisher.example.org/stories/1/"}),
    )


def make_campaign(count: int, locale) -> Campaign:
    topic, _created = Topic.objects.get_or_create(slug="reports", defaults={"name": "Reports"})
    campaign = Campaign.objects.create(
        name=f"Benchmark {count}", subject=SUBJECT, sender="news", audience=f"first_people:{count}",
        frequency=Campaign.Frequency.DAILY, time_of_day=time(8), body=make_body(), locale=locale, topic=topic,
        live=True,
    )  # fmt: skip
    live_revision(campaign)
    return campaign


@lru_cache(maxsize=1)
def templates():
    """Return the HTML and the text as templates that a tutorial would have on its disk."""
    compiled = compile_mail(Campaign.objects.order_by("pk").first().content)
    engine = engines["django"]
    loads = "{% load i18n l10n humanize lifecycle_pieces %}"
    return engine.from_string(loads + _source(compiled.html)), engine.from_string(loads + _source(compiled.text))


def _source(parts: Parts | Stretch) -> str:
    return "".join(part if isinstance(part, str) else _source_of(part) for part in parts.parts)


def _source_of(piece) -> str:
    if isinstance(piece, Stretch):
        return _source(piece)
    if isinstance(piece, MergeTag):
        return f'{{{{ {piece.path}|default:"{piece.fallback}" }}}}'
    given = " ".join(f'{name}="{value}"' for name, value in piece.arguments.items())
    source = piece.template.template.source
    return f"{{% with {given} %}}{source}{{% endwith %}}" if given else source


class Reader:
    """What a tutorial's template calls `recipient`."""

    def __init__(self, user) -> None:
        self.name = user.name
        self.first_name = user.name.split()[0]


def context_of(user, period: Period) -> dict:
    links = Links(unsubscribe=f"https://publisher.example.org/unsubscribe/{user.pk}/")
    return {"recipient": Reader(user), "data": {"page_views": pages_of(f"user:{user.pk}", period)}, "links": links}


def first_people(count: int):
    return get_user_model().objects.filter(pk__lte=count).order_by("pk")
