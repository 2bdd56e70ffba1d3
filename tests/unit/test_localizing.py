"""Translating a campaign: with Wagtail's simple translation, and with wagtail-localize."""

import pytest
from wagtail.models import Locale
from wagtail_localize.segments.extract import extract_segments
from wagtail_localize.segments.types import StringSegmentValue

from tests.support.campaigns import draft
from wagtail_lifecycle.localizing import translatable_fields
from wagtail_lifecycle.models import Campaign

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TEXT = '<p>Hi <span data-merge-tag="recipient.first_name" data-fallback="friend">First name</span>, good day.</p>'


def campaign():
    body = [
        {"type": "heading", "value": {"text": "Good morning", "size": "large"}, "id": "a"},
        {"type": "rich_text", "value": {"text": TEXT}, "id": "b"},
    ]
    made = draft(subject="News", preheader="In short")
    made.body = Campaign._meta.get_field("body").to_python(body)
    made.save()
    return made


def test_wagtail_localize_offers_the_words_and_keeps_the_rest_in_step(monkeypatch):
    source = campaign()
    monkeypatch.setattr(Campaign, "translatable_fields", translatable_fields(Campaign), raising=False)
    fields = {field.field_name: field for field in Campaign.translatable_fields}
    assert [name for name, field in fields.items() if field.is_translated(source)] == ["subject", "preheader", "body"]
    assert all(fields[name].is_synchronized(source) for name in ("name", "audience", "event", "sender", "time_zone"))
    words = {segment.string.data for segment in extract_segments(source) if isinstance(segment, StringSegmentValue)}
    assert words == {"News", "In short", "Good morning", "Hi", "First name", ", good day."}


def test_a_translation_is_a_draft_of_the_same_campaign():
    source = campaign()
    german, _created = Locale.objects.get_or_create(language_code="de")
    translation = source.copy_for_translation(german)
    translation.save()
    assert not translation.live
    assert translation.source == source
    assert [block.value for block in translation.body] == [block.value for block in source.body]
