"""Campaigns as no form would have written them: imported, or with versions that name what is gone."""

import json

import pytest
from wagtail.models import Site

from tests.support.admin import logged_in, url
from tests.support.factories import make_campaign, make_run
from wagtail_lifecycle.dispatch import editions
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.models.problems import problems_of

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
