"""Campaigns as no form would have written them: imported, or with versions that name what is gone."""

import json
from html import unescape

import pytest
from wagtail.models import Site

from tests.support.admin import form_data, logged_in, url
from tests.support.factories import NOW, make_campaign, make_run, make_translation
from wagtail_lifecycle.audiences.users import UserAudience
from wagtail_lifecycle.dispatch import editions
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.models.problems import problems_of
from wagtail_lifecycle.preflight import examine
from wagtail_lifecycle.registry import audiences
from wagtail_lifecycle.rendering import CompiledMail

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def other():
    return Site.objects.create(hostname="other.example.org", site_name="Other", root_page=Site.objects.get().root_page)


def test_a_version_of_a_site_that_is_gone_can_be_edited_and_sent(other):
    campaign = make_campaign(site=other)
    run = make_run(campaign)
    campaign.site = None
    campaign.save_revision().publish()
    campaign.site = other
    campaign.save_revision()
    other.delete()
    client = logged_in("moderator")
    for name in ("edit", "copy", "preflight", "test"):
        assert client.get(url(name, campaign.pk)).status_code == 200
    assert editions.load(run).compiled


class LocalHeroes(UserAudience):
    name = "local_heroes"
    label = "Local heroes"
    merge_tags = {"recipient.deed": "a rescue"}


def test_a_translation_is_looked_at_under_the_rules_of_its_source():
    with audiences.temporarily(LocalHeroes):
        campaign = make_campaign(audience="local_heroes", subject="News", publish=False)
        translation = make_translation(campaign, "de", audience="", sender="", subject="{{ recipient.deed | x }}")
        assert problems_of(translation) == []
        assert not examine(translation, NOW).blockers
        form = logged_in("moderator").get(url("edit", translation.pk)).context["form"]
        assert not {"sender", "audience"} & set(form.fields)


def test_code_of_the_site_that_fails_is_a_sentence(monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError

    campaign, client = make_campaign(publish=False), logged_in("moderator")
    own = client.get(url("test", campaign.pk)).context["form"]["address"].value() or ""
    monkeypatch.setattr(CompiledMail, "personalise", fail)
    tried = client.post(url("test", campaign.pk), {"address": own})
    assert "The site's log says why." in unescape(tried.content.decode())
    monkeypatch.setattr(UserAudience, "get_queryset", fail)
    assert client.get(url("preflight", campaign.pk)).status_code == 200
    found = client.get(url("preview_people", campaign.pk), {"q": "reader"})
    assert "The site's log says why." in unescape(found.content.decode())


@pytest.mark.parametrize("field", ["delay", "late_within"])
def test_a_duration_beyond_all_numbers_is_refused(field):
    campaign = make_campaign(publish=False)
    posted = form_data(action="publish", trigger="event" if field == "delay" else "schedule", **{field: "9" * 400})
    page = logged_in("moderator").post(url("edit", campaign.pk), posted)
    assert page.context["form"].has_error(field)


@pytest.mark.parametrize("stored", ["[1]", "5", '{"a": 1}', '[{"type": "heading"}]', '[{"value": 1}]', "no json"])
def test_a_body_that_is_none_breaks_no_page(stored):
    campaign = make_campaign()
    Campaign.objects.filter(pk=campaign.pk).update(body=stored)
    client = logged_in("moderator")
    for address in (url("list"), url("edit", campaign.pk), f"{url('preview_on_edit', campaign.pk)}?mode=html"):
        assert client.get(address).status_code == 200
    assert [problem.field for problem in problems_of(Campaign.objects.get(pk=campaign.pk))] == ["body"]


def test_a_block_that_was_stored_before_its_field_had_a_default_can_be_checked():
    campaign = make_campaign(publish=False)
    stored = json.dumps([{"type": "verify_button", "value": {"show_only_if": "always"}, "id": "1"}])
    Campaign.objects.filter(pk=campaign.pk).update(body=stored)
    assert problems_of(Campaign.objects.get(pk=campaign.pk)) == []
