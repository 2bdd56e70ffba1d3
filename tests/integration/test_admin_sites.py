"""Groups that may do something for one site, and what the list tells."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from wagtail.models import GroupSitePermission, Site

from tests.support.admin import logged_in, url, words
from tests.support.factories import (
    make_campaign,
    make_delivery,
    make_empty_run,
    make_translation,
    make_user,
    make_users,
)
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin.access import campaigns_at, may
from wagtail_lifecycle.wagtail_admin.access_sites import may_publish_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def other():
    return Site.objects.create(hostname="other.example.org", site_name="Other", root_page=Site.objects.get().root_page)


def permission(codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label="wagtail_lifecycle", codename=codename)


def member(**sites: list[str]):
    """Return somebody whose group may do something for the sites with these names."""
    user, group = make_user(), Group.objects.create(name="Local")
    user.user_permissions.set(Permission.objects.filter(codename="access_admin"))
    user.groups.add(group)
    for name, codenames in sites.items():
        site = Site.objects.get(is_default_site=True) if name == "default" else Site.objects.get(site_name=name)
        for codename in codenames:
            GroupSitePermission.objects.create(group=group, site=site, permission=permission(codename))
    return user


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_each_permission_holds_for_its_own_site(other):
    here, there = make_campaign(), make_campaign(site=other)
    translation = make_translation(there, "de", site=None)
    user = member(default=["change_campaign", "view_run"], Other=["publish_campaign"])
    assert (may(user, "change", here), may(user, "change", there)) == (True, False)
    assert (may(user, "publish", here), may(user, "publish", there)) == (False, True)
    assert may(user, "view", make_empty_run(here))
    assert not may(user, "view", make_empty_run(there))
    assert may(user, "publish", translation)
    assert set(campaigns_at([other])) == {there.pk, translation.pk}
    assert (may_publish_for(user, None), may_publish_for(user, other)) == (False, True)
    everywhere = make_user(is_superuser=True)
    assert may(everywhere, "steer", make_empty_run(make_campaign(site=other)))


def test_the_editor_offers_the_sites_one_may_use(other):
    form = client_of(member(Other=["add_campaign", "publish_campaign"])).get(url("add")).context["form"]
    assert form["site"].value() == other.pk
    assert [str(label) for _value, label in form.fields["site"].choices if _value] == [str(other)]
    assert form.fields["site"].required
    everywhere = logged_in("moderator").get(url("add")).context["form"]
    assert len(everywhere.fields["site"].choices) == 3
    other.delete()
    assert "site" not in logged_in("moderator").get(url("add")).context["form"].fields


def test_publishing_is_offered_to_who_may_for_this_site(other):
    campaign = make_campaign(publish=False)
    publisher = member(default=["change_campaign", "publish_campaign"], Other=["change_campaign"])
    page = client_of(publisher).get(url("edit", campaign.pk)).content.decode()
    assert "action-publish" in page
    elsewhere = client_of(publisher).get(url("edit", make_campaign(publish=False, site=other).pk)).content.decode()
    assert "action-publish" not in elsewhere


def test_groups_get_permissions_for_one_site(other):
    client, group = Client(), Group.objects.create(name="Local")
    client.force_login(make_user(is_superuser=True))
    address = f"/admin/groups/edit/{group.pk}/"
    page = BeautifulSoup(client.get(address).content, "html.parser")
    fields = {each["name"]: each.get("value", "") for each in page.select("input[name]:not([type=checkbox])")}
    grant = f"{permission('publish_campaign').pk}-{other.pk}"
    assert page.select_one(f"input[name=lifecycle_sites-grants][value='{grant}']")
    client.post(address, {**fields, "name": "Local", "lifecycle_sites-grants": [grant]})
    assert [str(given.site) for given in group.site_permissions.all()] == [str(other)]
    client.post(address, {**fields, "name": "Local"})
    assert not group.site_permissions.exists()


def test_the_list_tells_how_far_a_run_is_and_who_gets_it():
    cache.clear()
    make_users(4)
    now = timezone.now()
    run = make_empty_run(make_campaign(name="Weekly letter"))
    for number in range(6):
        sent = {"status": "sent", "finished_at": now - timedelta(seconds=5)} if number < 2 else {}
        make_delivery(run, **sent)
    make_campaign(name="Other letter")
    client = logged_in("moderator")
    lines = words(client.get(url("list")), "tbody tr")
    running = next(line for line in lines if "Weekly letter" in line)
    assert "2 of 6, 2 per minute, about 2 minutes left" in running
    assert "5 people today" in running
    assert "Pause" in running
    assert "Cancel the run" in running
    [only] = words(client.get(f"{url('list')}?status=running"), "tbody tr")
    assert only == running


def test_the_list_says_when_beat_is_gone():
    client, recover = logged_in("editor"), PeriodicTask.objects.filter(name="wagtail_lifecycle.recover")
    assert "Beat has not been seen" in client.get(url("list")).content.decode()
    recover.update(last_run_at=timezone.now())
    assert "Beat has not been seen" not in client.get(url("list")).content.decode()
    recover.update(last_run_at=timezone.now() - timedelta(hours=1))
    assert "Beat has not been seen since" in client.get(url("list")).content.decode()


def test_the_list_of_one_site_needs_as_many_queries_for_more_campaigns(other, django_assert_max_num_queries):
    client = client_of(member(default=["change_campaign", "view_run", "steer_run", "add_campaign"]))

    def count() -> int:
        with django_assert_max_num_queries(60) as captured:
            assert client.get(url("list")).status_code == 200
        return len(captured)

    make_empty_run(make_campaign())
    client.get(url("list"))
    few = count()
    for _number in range(5):
        make_empty_run(make_campaign())
        make_campaign(site=other)
    assert count() == few
    assert Campaign.objects.count() == 11


def test_the_pre_flight_publishes_for_a_site_only_who_may_there(other):
    campaign = make_campaign(publish=False)
    campaign.site = other
    campaign.save_revision()
    here = ["change_campaign", "publish_campaign"]
    page = url("preflight", campaign.pk)
    local = client_of(member(default=here))
    assert not local.get(page).context["may_publish"]
    assert local.post(page, {"content": "x"}).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.live, campaign.site) == (False, None)
