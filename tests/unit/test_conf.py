"""Settings are read when they are asked for, and their defaults are right."""

import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from wagtail_lifecycle import conf
from wagtail_lifecycle.conf import Queues, Sender, reading
from wagtail_lifecycle.conf import settings as lifecycle
from wagtail_lifecycle.exceptions import Misconfigured, UnknownName

DOCUMENTED = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def no_authors(_pages):
    return {}


@pytest.fixture(autouse=True)
def only_defaults(settings):
    for name in set(re.findall(r'_get\(\s*"(\w+)"', Path(reading.__file__).read_text())):
        if hasattr(settings, conf.PREFIX + name):
            delattr(settings, conf.PREFIX + name)
    return settings


# -- Senders ------------------------------------------------------------------------------------------------


def test_a_sender_has_all_that_a_mail_needs_of_it(settings):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {
        "news": {
            "from": "The Quick Publisher <news@example.org>",
            "label": "Newsroom",
            "reply_to": "desk@example.org",
            "postal_address": "1 Main St",
        }
    }
    expected = Sender(
        key="news",
        address="news@example.org",
        name="The Quick Publisher",
        label="Newsroom",
        reply_to="desk@example.org",
        postal_address="1 Main St",
    )
    assert lifecycle.senders == {"news": expected}
    assert lifecycle.sender("news").domain == "example.org"


@pytest.mark.parametrize(
    ("written", "label"), [("News <news@example.org>", "News"), ("news@example.org", "news@example.org")]
)
def test_a_sender_without_a_label_is_called_by_its_name_or_address(settings, written, label):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": {"from": written}}
    assert lifecycle.sender("news").label == label


def test_an_unknown_sender_lists_the_configured_ones(settings):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": {"from": "news@example.org"}}
    with pytest.raises(UnknownName, match=r"No sender 'old' .*configured: news"):
        lifecycle.sender("old")


@pytest.mark.parametrize("options", [{"from": "nobody"}, {}, {"from": "a@example.org", "lable": "A"}])
def test_a_sender_that_is_written_wrongly_is_refused_by_its_key(settings, options):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": options}
    with pytest.raises(Misconfigured, match="SENDERS\\['news'\\]"):
        _ = lifecycle.senders


def test_a_sender_s_domain_may_be_written_in_any_alphabet(settings):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": {"from": "N <news@exämple.org>", "reply_to": "desk@exämple.org"}}
    sender = lifecycle.sender("news")
    assert (sender.address, sender.reply_to) == ("news@xn--exmple-cua.org", "desk@xn--exmple-cua.org")
    assert sender.domain == "xn--exmple-cua.org"


@pytest.mark.parametrize(
    "options",
    [
        {"from": "nëws@example.org"},
        {"from": "news@ä..org"},
        {"from": "news@example.org", "reply_to": "Üs <us@example.org>"},
    ],
)
def test_an_address_that_no_header_can_carry_is_refused(settings, options):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": options}
    with pytest.raises(Misconfigured, match=r"SENDERS\['news'\] has an address that mail servers refuse"):
        lifecycle.sender("news")


def test_without_the_setting_there_are_no_senders():
    assert lifecycle.senders == {}


# -- Addresses ----------------------------------------------------------------------------------------------


def test_the_base_url_is_that_of_the_admin_unless_set(settings):
    settings.WAGTAILADMIN_BASE_URL = "https://admin.example.org/"
    assert lifecycle.base_url == "https://admin.example.org"
    settings.WAGTAIL_LIFECYCLE_BASE_URL = "https://www.example.org/"
    assert lifecycle.base_url == "https://www.example.org"


def test_the_base_url_s_host_may_be_written_in_any_alphabet(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = "https://exämple.org/"
    assert lifecycle.base_url == "https://xn--exmple-cua.org"
    settings.WAGTAIL_LIFECYCLE_BASE_URL = "https://ä..org"
    with pytest.raises(Misconfigured, match="cannot be written in ASCII"):
        _ = lifecycle.base_url


@pytest.mark.parametrize(
    ("broker", "url"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("rediss://localhost:6379/0", "rediss://localhost:6379/0"),
        ("amqp://localhost", ""),
        ("memory://", ""),
    ],
)
def test_views_are_buffered_in_the_broker_where_that_is_redis(settings, broker, url):
    settings.CELERY_BROKER_URL = broker
    assert lifecycle.redis_url == url


def test_views_may_be_buffered_elsewhere_or_not_in_redis_at_all(settings):
    settings.CELERY_BROKER_URL = "redis://broker"
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = "redis://views"
    assert lifecycle.redis_url == "redis://views"
    settings.WAGTAIL_LIFECYCLE_REDIS_URL = None
    assert lifecycle.redis_url == ""


# -- People -----------------------------------------------------------------------------------------------


def test_authors_are_owners_unless_a_function_is_named(settings):
    assert lifecycle.authors is None
    settings.WAGTAIL_LIFECYCLE_AUTHORS = f"{__name__}.no_authors"
    assert lifecycle.authors is no_authors


def test_the_user_model_s_own_field_says_who_is_verified(settings):
    assert lifecycle.verified_field == "is_verified"
    settings.WAGTAIL_LIFECYCLE_VERIFIED_FIELD = "is_staff"
    assert lifecycle.verified_field == "is_staff"


@pytest.mark.parametrize("name", ["no_such_field", None, ""])
def test_a_user_model_may_not_know_who_is_verified(settings, name):
    settings.WAGTAIL_LIFECYCLE_VERIFIED_FIELD = name
    assert lifecycle.verified_field is None


# -- Work -------------------------------------------------------------------------------------------------


def test_tasks_go_to_the_default_queue_unless_named(settings):
    assert lifecycle.queues == Queues()
    settings.WAGTAIL_LIFECYCLE_QUEUES = {"bulk": "slow"}
    assert lifecycle.queues == Queues(bulk="slow")


def test_a_queue_that_does_not_exist_is_refused_with_those_that_do(settings):
    settings.WAGTAIL_LIFECYCLE_QUEUES = {"bluk": "slow"}
    with pytest.raises(Misconfigured, match=r"unknown keys \['bluk'\].*\"transactional\".*\"bulk\""):
        _ = lifecycle.queues


def test_a_claim_holds_twice_the_time_a_mail_server_may_take(settings):
    assert lifecycle.lease >= 2 * timedelta(seconds=600)
    settings.WAGTAIL_LIFECYCLE_LEASE_SECONDS = 60
    assert lifecycle.lease == timedelta(seconds=60)


def test_batches_are_small_and_tasks_short(settings):
    assert (lifecycle.batch_size, lifecycle.batch_seconds) == (100, 5)
    settings.WAGTAIL_LIFECYCLE_BATCH_SIZE = 500
    settings.WAGTAIL_LIFECYCLE_BATCH_SECONDS = 2
    assert (lifecycle.batch_size, lifecycle.batch_seconds) == (500, 2)


def test_pauses_after_a_failure_are_half_a_minute_and_can_be_shorter(settings):
    assert (lifecycle.group_rest, lifecycle.broker_rest_seconds) == (timedelta(seconds=30), 30)
    settings.WAGTAIL_LIFECYCLE_GROUP_REST_SECONDS = 0.5
    settings.WAGTAIL_LIFECYCLE_BROKER_REST_SECONDS = 0.25
    assert (lifecycle.group_rest, lifecycle.broker_rest_seconds) == (timedelta(seconds=0.5), 0.25)


def test_the_site_s_time_zone_is_that_of_django(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    assert lifecycle.time_zone == ZoneInfo("Asia/Tokyo")


def test_the_message_id_has_the_sender_s_domain_unless_set(settings):
    assert lifecycle.message_id_domain is None
    settings.WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN = "mail.example.org"
    assert lifecycle.message_id_domain == "mail.example.org"
    settings.WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN = "exämple.org"
    assert lifecycle.message_id_domain == "xn--exmple-cua.org"
    settings.WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN = "ä..org"
    with pytest.raises(Misconfigured, match="MESSAGE_ID_DOMAIN"):
        _ = lifecycle.message_id_domain


# -- The reference ----------------------------------------------------------------------------------------


def test_every_setting_is_documented_and_every_documented_setting_exists():
    source = Path(reading.__file__).read_text()
    known = {conf.PREFIX + name for name in re.findall(r'_get\(\s*"(\w+)"', source)}
    documented = set(re.findall(r"^## `(WAGTAIL_LIFECYCLE_\w+)`", DOCUMENTED.read_text(), re.MULTILINE))
    assert documented == known


def test_no_setting_is_read_past_the_settings_module():
    package = Path(conf.__file__).parents[1]
    known = {conf.PREFIX + name for name in re.findall(r'_get\(\s*"(\w+)"', Path(reading.__file__).read_text())}
    named = {
        name
        for module in package.rglob("*.py")
        for name in re.findall(r"WAGTAIL_LIFECYCLE_[A-Z_]*[A-Z]", module.read_text())
    }
    assert named <= known
