"""Writing campaigns in the admin: drafts may be incomplete, what is published can be sent."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group
from django_celery_beat.models import PeriodicTask
from wagtail.test.utils.form_data import streamfield

from tests.support.admin import HEADING, form_data, logged_in, text, url
from tests.support.factories import (
    SLOT,
    make_campaign,
    make_empty_run,
    make_run,
    make_topic,
    make_translation,
)
from wagtail_lifecycle import schedules
from wagtail_lifecycle.models import Campaign, CampaignState, Run, Topic

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def editor(db):
    return logged_in("editor")


@pytest.fixture
def moderator(db):
    return logged_in("moderator")


def page(response):
    return BeautifulSoup(response.content, "html.parser")


def errors_of(response):
    return {name: [str(e) for e in errors] for name, errors in response.context["form"].errors.items()}


def body_errors(response):
    (error,) = response.context["form"].errors["body"].as_data()
    return error.as_json_data()["messages"]


# -- Drafts --------------------------------------------------------------------------------------------------


def test_a_draft_may_be_empty(editor):
    empty = dict.fromkeys(["name", "subject", "sender", "audience", "time_of_day", "every", "late_within"], "")
    response = editor.post(url("add"), form_data(**empty, body=streamfield([])))
    campaign = Campaign.objects.get()
    assert response.status_code == 302
    assert not campaign.live
    assert (campaign.every, campaign.late_within) == (1, timedelta(hours=1))


def test_a_draft_keeps_what_is_wrong_with_it(editor):
    chip = text('<span data-merge-tag="recipient.shoe_size">Shoe size</span>')
    editor.post(url("add"), form_data(HEADING, chip, subject="{{ nonsense"))
    campaign = Campaign.objects.get()
    assert campaign.subject == "{{ nonsense"
    assert "recipient.shoe_size" in str(campaign.body[1].value["text"].source)


def test_an_editor_saves_and_does_not_publish(editor):
    editor.post(url("add"), form_data(action="publish"))
    assert not Campaign.objects.get().live


def test_a_field_that_the_frequency_does_not_need_is_no_obstacle(moderator):
    response = moderator.post(url("add"), form_data(action="publish", frequency="daily", every="99999", date="soon"))
    assert response.status_code == 302, errors_of(response)
    campaign = Campaign.objects.get()
    assert campaign.live
    assert campaign.every == 1


# -- Publishing ----------------------------------------------------------------------------------------------


def test_publishing_makes_the_campaign_live_and_gives_it_a_next_run(moderator):
    response = moderator.post(url("add"), form_data(action="publish"))
    campaign = Campaign.objects.get()
    assert response.status_code == 302
    assert campaign.live
    assert campaign.late_within == timedelta(hours=1)
    assert campaign.state.problem == ""
    assert campaign.state.next_slot.astimezone(campaign.zone).day == 1


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Write a name: editors tell campaigns apart by it."),
        ("subject", "", "Write a subject: a mail without one is taken for spam."),
        ("subject", "Hi {{ recipient.shoe_size }}", "recipient.shoe_size"),
        ("sender", "", "Choose who the mail comes from."),
        ("audience", "", "Choose who gets the mail."),
        ("time_of_day", "", "The time of day is missing"),
    ],
)
def test_publishing_is_refused_with_the_field_and_a_sentence(moderator, field, value, sentence):
    response = moderator.post(url("add"), form_data(action="publish", **{field: value}))
    assert response.status_code == 200
    found = errors_of(response)
    assert list(found) == [field]
    assert len(found[field]) == 1
    assert sentence in found[field][0]
    assert not Campaign.objects.filter(live=True).exists()


def test_a_moment_that_has_passed_is_refused_at_the_date(moderator):
    for past in ("2024-05-01", "2020-02-29", "1815-12-10"):
        data = form_data(action="publish", frequency="once", date=past)
        assert "has passed" in errors_of(moderator.post(url("add"), data))["date"][0]


def test_a_year_out_of_reach_is_refused_with_the_last_one_that_is_not(moderator):
    data = form_data(action="publish", frequency="once", date="9999-05-01")
    (sentence,) = errors_of(moderator.post(url("add"), data))["date"]
    assert sentence == "The year 9999 is out of reach: choose a date up to the year 8999."


def test_an_empty_body_is_refused(moderator):
    response = moderator.post(url("add"), form_data(action="publish", body=streamfield([])))
    assert body_errors(response) == ["Add at least one block: the mail is empty."]


def test_a_block_at_fault_is_named_and_marked(moderator):
    response = moderator.post(
        url("add"), form_data(HEADING, ("heading", {"text": "", "size": "large"}), action="publish")
    )
    (error,) = response.context["form"].errors["body"].as_data()
    assert body_errors(response) == ["Block 2 (Heading): Text: This field is required."]
    assert set(error.as_json_data()["blockErrors"]) == {1}


def test_the_body_has_its_errors_in_the_order_of_its_blocks(moderator):
    empty = ("heading", {"text": "", "size": "large"})
    response = moderator.post(url("add"), form_data(empty, empty, empty, action="publish"))
    # Wagtail's script puts each above the one before.
    numbers = [sentence[len("Block ")] for sentence in reversed(body_errors(response))]
    assert numbers == ["1", "2", "3"]


@pytest.mark.parametrize("given", ["-5", "0", "1441", "many"])
def test_a_number_that_is_none_is_said_in_one_sentence(moderator, given):
    response = moderator.post(url("add"), form_data(action="publish", frequency="minutes", every=given))
    assert errors_of(response) == {
        "every": [f"“{given}” is not a number from 1 to 1440: say how many lie between two mails."]
    }


def test_a_number_that_is_missing_is_said_in_one_sentence(moderator):
    response = moderator.post(url("add"), form_data(action="publish", frequency="minutes", every=""))
    sentence = "The number is missing: say how many lie between two mails, from 1 to 1440."
    assert errors_of(response) == {"every": [sentence]}


def test_a_body_that_does_not_compile_is_refused(moderator):
    chip = text('Hello <span data-merge-tag="recipient.shoe_size">Shoe size</span>')
    response = moderator.post(url("add"), form_data(chip, action="publish"))
    assert "recipient.shoe_size" in body_errors(response)[0]


def test_what_was_refused_can_still_be_saved_as_a_draft(moderator):
    data = form_data(subject="", audience="")
    assert moderator.post(url("add"), {**data, "action-publish": "1"}).status_code == 200
    assert moderator.post(url("add"), data).status_code == 302
    assert Campaign.objects.get().latest_revision is not None


def test_a_deleted_group_stays_visible_and_is_reported(moderator):
    group = Group.objects.create(name="Owners")
    campaign = make_campaign(audience=f"group_members:{group.pk}", publish=False)
    group.delete()
    select = page(moderator.get(url("edit", campaign.pk))).find("select", {"name": "audience"})
    assert "not available any more" in select.find("option", selected=True).text
    response = moderator.post(url("edit", campaign.pk), form_data(action="publish", audience=campaign.audience))
    assert "no longer exists" in errors_of(response)["audience"][0]


def test_unknown_audiences_of_others_are_refused(moderator):
    response = moderator.post(url("add"), form_data(audience="everybody_on_earth"))
    assert "audience" in errors_of(response)


# -- The editor ----------------------------------------------------------------------------------------------


def test_the_editor_has_four_tabs(editor):
    tabs = page(editor.get(url("add"))).select('[role="tab"]')
    assert [tab.get_text(strip=True).removesuffix("()") for tab in tabs] == ["What", "Who", "When", "Rules"]


def test_the_editor_says_when_the_campaign_goes(editor):
    campaign = make_campaign(frequency="monthly", month_day=31, time_zone="Europe/Paris")
    outlook = page(editor.get(url("edit", campaign.pk))).select_one(".lifecycle-outlook")
    assert "On the 31st of each month at 08:00 (Europe/Paris)." in outlook.text
    assert len(outlook.select("time")) == 5
    assert "In months without a 31st" in outlook.text


def test_the_editor_has_no_inline_script_or_style_of_ours(editor):
    soup = page(editor.get(url("add")))
    ours = soup.select("[data-controller='lifecycle-schedule'], .lifecycle-outlook")
    assert ours
    for each in ours:
        assert not each.select("script, style, [style], [onclick], [onchange]")


def test_durations_and_zones_are_choices_in_words(editor):
    soup = page(editor.get(url("add")))
    late = [option.text for option in soup.find("select", {"name": "late_within"}).find_all("option")]
    zone = soup.find("select", {"name": "time_zone"})
    assert {"30 minutes", "1 hour", "7 days"} <= set(late)
    assert zone.find("option").text == "The site's own (Europe/Berlin)"
    assert zone.find("option", {"value": "America/New_York"}).text == "America/New York"


def test_a_duration_that_is_no_choice_is_kept(editor):
    campaign = make_campaign(late_within=timedelta(minutes=100), publish=False)
    select = page(editor.get(url("edit", campaign.pk))).find("select", {"name": "late_within"})
    assert select.find("option", selected=True).text == "100 minutes"


def test_a_copy_is_a_campaign_of_its_own(editor):
    campaign = make_campaign()
    assert editor.get(url("copy", campaign.pk)).status_code == 200
    assert editor.post(url("copy", campaign.pk), form_data(name="Copy")).status_code == 302
    assert Campaign.objects.get(name="Copy").is_source
    assert Campaign.objects.get(pk=campaign.pk).get_latest_revision_as_object().name == campaign.name


def test_history_usage_and_comparison_are_there(editor):
    campaign = make_campaign()
    campaign.subject = "Another subject"
    campaign.save_revision()
    first, last = campaign.revisions.order_by("pk").values_list("pk", flat=True)
    assert editor.get(url("history", campaign.pk)).status_code == 200
    assert editor.get(url("usage", campaign.pk)).status_code == 200
    compared = editor.get(url("revisions_compare", campaign.pk, first, last))
    assert "Another subject" in compared.content.decode()


def test_locking_keeps_others_out(moderator, editor):
    campaign = make_campaign(publish=False)
    moderator.post(url("lock", campaign.pk))
    response = editor.post(url("edit", campaign.pk), form_data(name="Mine now"))
    campaign.refresh_from_db()
    assert campaign.locked
    assert "could not be saved as it is locked" in response.content.decode()


def test_unpublishing_stops_the_campaign(moderator):
    campaign = make_campaign()
    moderator.post(url("unpublish", campaign.pk))
    campaign.refresh_from_db()
    assert not campaign.live
    assert campaign.state.next_slot is None


# -- Translations --------------------------------------------------------------------------------------------


@pytest.fixture
def translation(settings):
    settings.WAGTAIL_I18N_ENABLED = True
    settings.WAGTAIL_CONTENT_LANGUAGES = settings.LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
    return make_translation(make_campaign(name="Source"), "de", name="Quelle")


def test_a_translation_shows_where_its_schedule_is(editor, translation):
    soup = page(editor.get(url("edit", translation.pk)))
    assert soup.find("select", {"name": "audience"}) is None
    assert soup.find("select", {"name": "frequency"}) is None
    assert url("edit", translation.source.pk) in [a.get("href") for a in soup.select('[role="tabpanel"] a')]


def test_a_translation_keeps_the_schedule_whatever_is_posted(moderator, translation):
    data = form_data(action="publish", frequency="hourly", audience="nobody", subject="Guten Morgen")
    moderator.post(url("edit", translation.pk), data)
    translation.refresh_from_db()
    assert translation.subject == "Guten Morgen"
    assert (translation.frequency, translation.audience) == ("daily", "active_users")


# -- Who may what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "status"), [("stranger", 302), ("visitor", 302), ("editor", 200), ("moderator", 200)])
@pytest.mark.parametrize("view", ["list", "list_results", "add", "edit", "history", "outlook", "preview_on_edit"])
def test_who_may_look_at_campaigns(role, status, view):
    campaign = make_campaign()
    args = [campaign.pk] if view in {"edit", "history", "preview_on_edit"} else []
    assert logged_in(role).get(url(view, *args)).status_code == status


@pytest.mark.parametrize(("role", "allowed"), [("visitor", False), ("editor", False), ("moderator", True)])
def test_who_may_unpublish_and_delete(role, allowed):
    campaign, unused = make_campaign(), make_campaign()
    client = logged_in(role)
    client.post(url("unpublish", campaign.pk))
    client.post(url("delete", unused.pk))
    campaign.refresh_from_db()
    assert campaign.live is not allowed
    assert Campaign.objects.filter(pk=unused.pk).exists() is not allowed


def test_a_get_deletes_nothing(moderator):
    campaign = make_campaign()
    for view in ("delete", "unpublish"):
        moderator.get(url(view, campaign.pk))
    assert Campaign.objects.filter(pk=campaign.pk, live=True).exists()


def test_a_campaign_with_runs_is_kept(moderator):
    campaign = make_campaign()
    make_run(campaign)
    response = moderator.post(url("delete", campaign.pk), follow=True)
    assert Campaign.objects.filter(pk=campaign.pk).exists()
    assert "Unpublish it instead" in response.content.decode()


def test_a_translation_that_was_mailed_is_kept(moderator, translation):
    make_run(translation.source)
    response = moderator.post(f"/admin/snippets/wagtail_lifecycle/campaign/delete/{translation.pk}/", follow=True)
    assert Campaign.objects.filter(pk=translation.pk).exists()
    assert "Unpublish it instead" in response.content.decode()


def test_a_topic_in_use_is_kept(moderator):
    topic = make_topic()
    make_campaign(topic=topic)
    response = moderator.post(f"/admin/snippets/wagtail_lifecycle/topic/delete/{topic.pk}/", follow=True)
    assert Topic.objects.filter(pk=topic.pk).exists()
    assert "Give it another name instead" in response.content.decode()


# -- The list ------------------------------------------------------------------------------------------------


def rows(response):
    table = page(response).select_one("table.listing")
    return [" ".join(row.get_text(" ", strip=True).split()) for row in table.select("tbody tr")]


def test_the_list_tells_how_campaigns_stand(moderator):
    campaign = make_campaign(name="Daily digest", subject="Views of your pages")
    make_run(campaign)
    make_campaign(name="Unfinished", publish=False)
    first, second = rows(moderator.get(url("list")))
    assert "Daily digest" in first
    assert "Views of your pages" in first
    assert "Running" in first.title()
    assert "Every day at 08:00 (Europe/Berlin)" in first
    assert "Active users" in first
    assert "Draft" in second.title()


def test_the_list_says_what_needs_fixing(moderator):
    campaign = make_campaign(name="Broken")
    CampaignState.objects.filter(campaign=campaign).update(problem="Choose who gets the mail.", next_slot=None)
    (row,) = rows(moderator.get(url("list")))
    assert "needs fixing" in row.lower()
    assert "Choose who gets the mail." in row


def test_the_list_survives_nonsense_in_a_campaign(moderator):
    make_campaign(name="Odd", time_zone="Mars/Olympus", frequency="sometimes", audience="gone", publish=False)
    (row,) = rows(moderator.get(url("list")))
    assert "gone" in row


def test_an_incomplete_schedule_is_not_told_as_if_it_were_one(moderator):
    make_campaign(name="Odd", frequency="once", publish=False)
    (row,) = rows(moderator.get(url("list")))
    assert "Not set yet The date is missing: say on which day it goes." in row


def test_a_campaign_that_went_its_only_time_is_sent(moderator):
    campaign = make_campaign(name="Only once", frequency="now")
    state = campaign.state
    run = make_empty_run(campaign, slot=state.changed_at + timedelta(minutes=1))
    CampaignState.objects.filter(pk=state.pk).update(next_slot=None)
    assert "running" in rows(moderator.get(url("list")))[0]
    Run.objects.filter(pk=run.pk).update(status=Run.Status.FINISHED)
    assert "sent" in rows(moderator.get(url("list")))[0]
    found = {status: moderator.get(f"{url('list')}?status={status}") for status in ("sent", "live")}
    assert {status: len(each.context["object_list"]) for status, each in found.items()} == {"sent": 1, "live": 0}


def test_what_a_campaign_was_before_does_not_make_it_sent(moderator):
    campaign = make_campaign(frequency="now")
    make_empty_run(campaign, slot=campaign.state.changed_at - timedelta(days=1), status=Run.Status.FINISHED)
    assert "live" in rows(moderator.get(url("list")))[0]


def test_the_words_of_a_filter_begin_with_a_capital(moderator):
    filters = page(moderator.get(url("list"))).select("input[name=status]")
    labels = [each.find_parent("label").get_text(strip=True) for each in filters]
    assert labels == ["All", "Draft", "In moderation", "Live", "Sent", "Needs fixing", "Paused", "Running"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=draft", ["Draft"]),
        ("status=live", ["Live"]),
        ("status=sent", []),
        ("status=problem", ["Broken"]),
        ("status=paused", ["Paused"]),
        ("frequency=weekly", ["Draft"]),
        ("audience=page_authors", ["Live"]),
        ("q=Bro", ["Broken"]),
        ("q=Bro&status=problem", ["Broken"]),
        ("q=Bro&status=live", []),
    ],
)
def test_the_list_is_filtered_and_searched(moderator, query, names):
    make_campaign(name="Draft", frequency="weekly", publish=False)
    make_campaign(name="Live", audience="page_authors")
    broken, paused = make_campaign(name="Broken"), make_campaign(name="Paused")
    CampaignState.objects.filter(campaign=broken).update(problem="Something.")
    CampaignState.objects.filter(campaign=paused).update(pause_reason="disabled_in_beat")
    response = moderator.get(f"{url('list')}?{query}")
    assert [campaign.name for campaign in response.context["object_list"]] == names


@pytest.mark.parametrize("export", ["csv", "xlsx"])
def test_the_list_is_exported(moderator, export):
    make_campaign(name="Daily digest")
    response = moderator.get(f"{url('list')}?export={export}")
    content = response.getvalue()
    assert response.status_code == 200
    if export == "csv":
        assert "Daily digest" in content.decode()
        assert "Every day at 08:00" in content.decode()


def test_the_list_needs_as_many_queries_for_twelve_campaigns_as_for_three(moderator, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(60) as captured:
            assert moderator.get(url("list")).status_code == 200
        return len(captured)

    for number in range(3):
        make_run(make_campaign(name=f"Campaign {number}"))
    moderator.get(url("list"))
    few = count()
    for number in range(9):
        make_run(make_campaign(name=f"More {number}"))
    assert count() == few


def test_translations_say_where_their_schedule_is(moderator, translation):
    first, second = rows(moderator.get(url("list")))
    assert "Deutsch" in first or "German" in first
    assert "As the campaign it translates" in first
    assert "Every day at 08:00" in second


def test_an_empty_list_invites_to_write_a_campaign(editor):
    assert "add one" in editor.get(url("list")).content.decode()


# -- Pausing and resuming ------------------------------------------------------------------------------------


@pytest.fixture
def paused(db):
    campaign = make_campaign(name="Paused")
    task = PeriodicTask.objects.get(name=schedules.task_name(campaign.pk))
    task.enabled = False
    task.save()
    schedules.sync(campaign.pk)
    return campaign


def test_a_campaign_whose_task_was_disabled_is_paused_until_somebody_resumes_it(moderator, paused):
    (row,) = rows(moderator.get(url("list")))
    assert "paused Its periodic task was disabled." in row
    assert "Resume" in row
    response = moderator.post(url("resume", paused.pk), follow=True)
    assert "goes on at its next run" in response.content.decode()
    (row,) = rows(response)
    assert "Resume" not in row
    paused.state.refresh_from_db()
    assert paused.state.next_slot is not None
    assert PeriodicTask.objects.get(name=schedules.task_name(paused.pk)).enabled
    assert "Resumed after a pause" in moderator.get(url("history", paused.pk)).content.decode()


def test_resuming_is_for_those_who_may_publish_and_needs_a_post(editor, moderator, paused):
    assert "Resume" not in rows(editor.get(url("list")))[0]
    editor.post(url("resume", paused.pk))
    assert moderator.get(url("resume", paused.pk)).status_code == 405
    paused.state.refresh_from_db()
    assert paused.state.pause_reason


# -- The outlook ---------------------------------------------------------------------------------------------


def test_the_outlook_is_computed_from_unsaved_fields(editor):
    query = "frequency=weekly&weekday=4&time_of_day=17:30&time_zone=America/New_York&campaign="
    response = editor.get(f"{url('outlook')}?{query}")
    soup = page(response)
    assert "Every Friday at 17:30 (America/New_York)." in soup.text
    assert all(run.text.startswith("Friday") for run in soup.select("time"))
    assert len(soup.select("time")) == 5
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("period", "days"), [("month", "October 2026"), ("day", "19 Nov 2026"), ("today", "20 Nov 2026 so far")]
)
def test_the_outlook_says_which_days_reports_cover(editor, time_machine, period, days):
    time_machine.move_to(SLOT - timedelta(hours=2), tick=False)
    query = f"frequency=daily&time_of_day=12:00&period={period}"
    assert f"Reports in the first of them cover {days}." in page(editor.get(f"{url('outlook')}?{query}")).text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("frequency=daily", "The time of day is missing"),
        ("frequency=daily&time_of_day=late", "Enter a valid time"),
        ("frequency=minutes&every=0", "“0” is not a number from 1 to 1440"),
        ("frequency=minutes&every=-5", "“-5” is not a number from 1 to 1440"),
        ("frequency=minutes&every=", "The number is missing"),
        ("frequency=once&time_of_day=09:00&date=2024-01-01", "has passed"),
        ("frequency=daily&time_of_day=09:00&time_zone=Mars/Olympus", "“Mars/Olympus” is not a time zone"),
        ("frequency=&campaign=nonsense", "choose when the campaign goes"),
        ("frequency=often", "Select a valid choice"),
    ],
)
def test_the_outlook_says_in_a_sentence_what_is_missing(editor, query, sentence):
    response = editor.get(f"{url('outlook')}?{query}")
    assert response.status_code == 200
    assert sentence in page(response).text


def test_the_outlook_answers_get_only(editor):
    assert editor.post(url("outlook")).status_code == 405
