"""Each fault of a site is named once, with its remedy; a site that is right hears nothing."""

import re
import sys
import types
from importlib import metadata
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.db import connections
from django.http import HttpResponse
from django.urls import get_script_prefix, include, path, re_path, set_script_prefix
from wagtail import urls as wagtail_urls

from wagtail_lifecycle import checks
from wagtail_lifecycle.checks import celery, mail, site

SENDER = {"from": "News <news@example.org>", "postal_address": "1 Main St"}
MIDDLEWARE = "wagtail_lifecycle.middleware.PageViewMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
WELL_SET_UP = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode = WAL;"}
DOCUMENTED = Path(__file__).parents[2] / "docs" / "reference" / "checks.md"


def ids(check) -> list[str]:
    """The faults a check finds, without their common prefix; each has a hint."""
    found = check()
    assert all(message.hint and message.msg for message in found)
    return [message.id.removeprefix("wagtail_lifecycle.") for message in found]


def not_a_function(_pages):  # the twin of a setting that names nothing callable
    return {}


NOT_CALLABLE = object()


# -- Mail ---------------------------------------------------------------------------------------------------


def test_a_site_without_a_sender_is_told(settings):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {}
    assert ids(mail.check_senders) == ["E001"]


def test_a_site_with_a_sender_hears_nothing(settings):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": SENDER}
    assert ids(mail.check_senders) == []


@pytest.mark.parametrize(
    "sender",
    [
        SENDER | {"from": "News"},
        SENDER | {"from": ""},
        SENDER | {"form": "News <news@example.org>"},
        SENDER | {"from": "News <news@exa_mple..org>"},
        SENDER | {"from": "News <news@>"},
        SENDER | {"from": "News <nëws@example.org>"},
        SENDER | {"from": "News <news@ä..org>"},
        SENDER | {"reply_to": "Us <us@example.org>"},
        SENDER | {"reply_to": "us@ä..org"},
    ],
)
def test_a_sender_that_servers_would_refuse_is_named(settings, sender):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": sender}
    assert ids(mail.check_senders) == ["E002"]
    assert "news" in mail.check_senders()[0].msg


def test_a_sender_with_a_domain_in_another_alphabet_is_right(settings):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": SENDER | {"from": "N <n@exämple.org>", "reply_to": "u@exämple.org"}}
    assert ids(mail.check_senders) == []


def test_a_sender_without_a_postal_address_is_a_warning(settings):
    settings.WAGTAIL_LIFECYCLE_SENDERS = {"news": {"from": "News <news@example.org>"}}
    assert ids(mail.check_senders) == ["W001"]


@pytest.mark.parametrize("url", ["www.example.org", "/lifecycle", "ftp://example.org", "https://ä..org"])
def test_a_base_url_that_is_not_absolute_is_an_error(settings, url):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = settings.WAGTAILADMIN_BASE_URL = url
    assert ids(mail.check_base_url) == ["E003"]


def test_without_a_base_url_links_lead_to_the_default_site_and_a_warning_says_so(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = settings.WAGTAILADMIN_BASE_URL = ""
    assert ids(mail.check_base_url) == ["W011"]
    assert ids(mail.check_base_url_in_production) == []


def test_a_base_url_that_is_wrong_altogether_is_told_once(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = "https://ä..org"
    assert ids(mail.check_base_url_in_production) == []


@pytest.mark.parametrize("domain", ["ä..org", "a b.org", "<example.org>"])
def test_a_message_id_domain_that_is_none_is_an_error(settings, domain):
    settings.WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN = domain
    assert ids(mail.check_message_id_domain) == ["E011"]


@pytest.mark.parametrize("domain", [None, "mail.example.org", "exämple.org"])
def test_a_message_id_domain_that_is_one_or_left_out_is_right(settings, domain):
    settings.WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN = domain
    assert ids(mail.check_message_id_domain) == []


def test_the_admin_s_base_url_is_good_enough(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = ""
    settings.WAGTAILADMIN_BASE_URL = "http://localhost:8000"
    assert ids(mail.check_base_url) == []


@pytest.mark.parametrize(
    "url", ["https://localhost", "https://127.0.0.1:8000", "https://example.com", "http://www.example.org"]
)
def test_a_base_url_that_readers_cannot_use_is_a_warning_in_production(settings, url):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = url
    assert ids(mail.check_base_url_in_production) == ["W002"]


def test_a_public_https_address_is_right_for_production(settings):
    settings.WAGTAIL_LIFECYCLE_BASE_URL = "https://www.example.org"
    assert ids(mail.check_base_url_in_production) == []


def test_a_package_mjml_that_is_another_one_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "mjml", types.ModuleType("mjml"))
    assert ids(mail.check_mjml) == ["E004"]


def test_a_missing_package_mjml_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "mjml", None)
    assert ids(mail.check_mjml) == ["E004"]


def test_django_mjml_beside_mjml_python_is_a_warning(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda _name: "1.2")
    assert ids(mail.check_mjml) == ["W003"]


def test_mjml_python_alone_is_right():
    assert ids(mail.check_mjml) == []


@pytest.mark.parametrize(("lease", "dot_timeout", "found"), [(1260, 600, []), (60, 30, []), (59, 30, ["W012"])])
def test_a_lease_that_may_end_while_a_server_thinks_is_a_warning(settings, lease, dot_timeout, found):
    settings.WAGTAIL_LIFECYCLE_LEASE_SECONDS = lease
    settings.WAGTAIL_LIFECYCLE_DOT_TIMEOUT_SECONDS = dot_timeout
    assert ids(mail.check_lease) == found


def test_the_remedy_for_a_short_lease_is_in_numbers(settings):
    settings.WAGTAIL_LIFECYCLE_LEASE_SECONDS = 300
    [warning] = mail.check_lease()
    assert "LEASE_SECONDS to 1200 or more" in warning.hint
    assert "DOT_TIMEOUT_SECONDS to 150 or less" in warning.hint


# -- The site -------------------------------------------------------------------------------------------------


def test_naive_times_are_an_error(settings):
    settings.USE_TZ = False
    assert ids(site.check_time_zones) == ["E005"]


def test_aware_times_are_right():
    assert ids(site.check_time_zones) == []


def test_a_missing_middleware_is_a_warning(settings):
    settings.MIDDLEWARE = [SESSION]
    assert ids(site.check_middleware) == ["W004"]


@pytest.mark.parametrize("above", [[SESSION], [CONDITIONAL], [SESSION, CONDITIONAL]])
def test_a_middleware_below_what_it_must_see_is_a_warning(settings, above):
    settings.MIDDLEWARE = [*above, MIDDLEWARE]
    assert ids(site.check_middleware) == ["W005"]


def test_a_middleware_above_them_is_right(settings):
    settings.MIDDLEWARE = [MIDDLEWARE, CONDITIONAL, SESSION]
    assert ids(site.check_middleware) == []


def test_without_wagtails_settings_nobody_can_choose_colours(monkeypatch):
    assert ids(site.check_settings_app) == []
    monkeypatch.delitem(apps.app_configs, "wagtailsettings")
    assert ids(site.check_settings_app) == ["W013"]


def _answer(_request, **_kwargs):
    return HttpResponse()


class NoUrls:
    urlpatterns = [path("", include(wagtail_urls))]


class OurUrls:
    urlpatterns = [
        path("lifecycle/", include("wagtail_lifecycle.urls")),
        path("", include(wagtail_urls)),
    ]


class ShadowedUrls:
    urlpatterns = [
        re_path("^", _answer),
        path("lifecycle/", include("wagtail_lifecycle.urls")),
    ]


def test_urls_that_are_not_included_are_an_error(settings):
    settings.ROOT_URLCONF = NoUrls
    assert ids(site.check_urls) == ["E006"]


def test_urls_behind_a_pattern_that_answers_everything_are_an_error(settings):
    settings.ROOT_URLCONF = ShadowedUrls
    assert ids(site.check_urls) == ["E007"]


def test_urls_above_those_of_wagtail_are_right(settings):
    settings.ROOT_URLCONF = OurUrls
    assert ids(site.check_urls) == []


@pytest.fixture
def script_name():
    before = get_script_prefix()
    set_script_prefix("/site/")
    yield
    set_script_prefix(before)


@pytest.mark.usefixtures("script_name")
def test_urls_are_right_also_below_a_script_name(settings):
    settings.ROOT_URLCONF = OurUrls
    assert ids(site.check_urls) == []


@pytest.mark.parametrize("authors", ["nowhere.authors", f"{__name__}.nothing", f"{__name__}.NOT_CALLABLE", "x"])
def test_authors_that_are_no_function_are_an_error(settings, authors):
    settings.WAGTAIL_LIFECYCLE_AUTHORS = authors
    assert ids(site.check_authors) == ["E008"]


@pytest.mark.parametrize("authors", [None, "", f"{__name__}.not_a_function"])
def test_authors_that_are_a_function_or_left_out_are_right(settings, authors):
    settings.WAGTAIL_LIFECYCLE_AUTHORS = authors
    assert ids(site.check_authors) == []


@pytest.fixture
def sqlite(monkeypatch):
    """Pretends that the site's database is a SQLite file with these options."""

    def configure(options, name="db.sqlite3", vendor="sqlite"):
        connection = connections["default"]
        monkeypatch.setattr(connection, "vendor", vendor)
        monkeypatch.setitem(connection.settings_dict, "NAME", name)
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)

    return configure


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({}, ["transaction_mode", "init_command", "timeout"]),
        (WELL_SET_UP | {"transaction_mode": "DEFERRED"}, ["transaction_mode"]),
        (WELL_SET_UP | {"init_command": "PRAGMA synchronous=FULL"}, ["init_command"]),
        (WELL_SET_UP | {"timeout": 5}, ["timeout"]),
    ],
)
def test_sqlite_that_would_be_locked_is_a_warning_that_says_what_is_missing(sqlite, options, missing):
    sqlite(options)
    assert ids(site.check_sqlite) == ["W006"]
    assert re.findall(r'"(\w+)":', site.check_sqlite()[0].hint) == missing


def test_sqlite_with_wal_immediate_and_timeout_is_right(sqlite):
    sqlite(WELL_SET_UP)
    assert ids(site.check_sqlite) == []


@pytest.mark.parametrize("name", [":memory:", "file:memorydb_default?mode=memory&cache=shared"])
def test_sqlite_in_memory_needs_nothing(sqlite, name):
    sqlite({}, name)
    assert ids(site.check_sqlite) == []


def test_other_databases_need_nothing(sqlite):
    sqlite({}, vendor="postgresql")
    assert ids(site.check_sqlite) == []


# -- Celery -------------------------------------------------------------------------------------------------


@pytest.fixture
def without_celery(settings):
    for name in dir(django_settings):
        if name.startswith("CELERY_"):
            delattr(settings, name)
    return settings


def test_a_site_without_a_broker_is_told_only_that(without_celery):
    assert ids(celery.check_celery_is_configured) == ["W007"]
    assert "lifecycle_tick" in celery.check_celery_is_configured()[0].hint
    for check in (
        celery.check_beat_scheduler,
        celery.check_celery_time_zone,
        celery.check_cron_deadline,
        celery.check_redis_transport,
    ):
        assert ids(check) == []


def test_a_queue_that_is_written_wrongly_is_an_error(settings):
    settings.WAGTAIL_LIFECYCLE_QUEUES = {"bluk": "slow"}
    assert ids(celery.check_queues) == ["E010"]


@pytest.mark.parametrize("queues", [{}, {"bulk": "slow"}, {"transactional": "fast", "bulk": None}])
def test_queues_with_the_right_keys_are_right(settings, queues):
    settings.WAGTAIL_LIFECYCLE_QUEUES = queues
    assert ids(celery.check_queues) == []


def test_a_site_with_a_broker_is_right(settings):
    settings.CELERY_BROKER_URL = "redis://localhost"
    assert ids(celery.check_celery_is_configured) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("CELERY_ACCEPT_CONTENT", ["json", "pickle"]),
        ("CELERY_ACCEPT_CONTENT", ["application/x-python-serialize"]),
        ("CELERY_RESULT_ACCEPT_CONTENT", ["pickle"]),
        ("CELERY_TASK_SERIALIZER", "pickle"),
        ("CELERY_RESULT_SERIALIZER", "pickle"),
    ],
)
def test_pickle_is_an_error(settings, setting, value):
    setattr(settings, setting, value)
    assert ids(celery.check_pickle) == ["E009"]


def test_json_is_right(settings, without_celery):
    assert ids(celery.check_pickle) == []
    settings.CELERY_ACCEPT_CONTENT = ["json"]
    assert ids(celery.check_pickle) == []


@pytest.mark.parametrize(
    "scheduler", ["", "celery.beat:PersistentScheduler", "nowhere:Scheduler", "django_celery_beat.models:Nothing"]
)
def test_a_beat_that_does_not_read_the_database_is_a_warning(settings, scheduler):
    settings.CELERY_BEAT_SCHEDULER = scheduler
    assert ids(celery.check_beat_scheduler) == ["W008"]


def _own_scheduler():
    from django_celery_beat.schedulers import DatabaseScheduler  # noqa: PLC0415 - needs Django

    return type("OwnScheduler", (DatabaseScheduler,), {})


@pytest.mark.parametrize(
    "scheduler",
    [
        "django_celery_beat.schedulers:DatabaseScheduler",
        "django_celery_beat.schedulers.DatabaseScheduler",
        "django",
        f"{__name__}:OwnScheduler",
    ],
)
def test_the_database_scheduler_is_right_and_so_is_a_subclass(settings, monkeypatch, scheduler):
    monkeypatch.setattr(f"{__name__}.OwnScheduler", _own_scheduler(), raising=False)
    settings.CELERY_BEAT_SCHEDULER = scheduler
    assert ids(celery.check_beat_scheduler) == []


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", None])
def test_a_celery_in_another_time_zone_is_a_warning(settings, zone):
    settings.TIME_ZONE = "Europe/Berlin"
    settings.CELERY_TIMEZONE = zone
    assert ids(celery.check_celery_time_zone) == ["W009"]


def test_a_celery_in_the_site_s_time_zone_is_right(settings):
    settings.CELERY_TIMEZONE = settings.TIME_ZONE
    assert ids(celery.check_celery_time_zone) == []


def test_a_beat_that_makes_up_for_old_crontabs_is_worth_a_note(settings):
    settings.CELERY_BEAT_CRON_STARTING_DEADLINE = None
    assert ids(celery.check_cron_deadline) == ["I001"]
    settings.CELERY_BEAT_CRON_STARTING_DEADLINE = 3600
    assert ids(celery.check_cron_deadline) == []


@pytest.fixture
def redis_broker(settings):
    settings.CELERY_BROKER_URL = "redis://localhost:6379/0"
    return settings


def test_a_redis_that_delivers_a_running_task_again_is_a_warning(redis_broker):
    options = {"visibility_timeout": 600, "unacked_restore_interval": 10}
    redis_broker.CELERY_BROKER_TRANSPORT_OPTIONS = options
    assert ids(celery.check_redis_transport) == ["W010"]


def test_a_redis_that_is_slow_to_deliver_again_is_worth_a_note(redis_broker):
    redis_broker.CELERY_BROKER_TRANSPORT_OPTIONS = {}
    assert ids(celery.check_redis_transport) == ["I002"]


def test_a_redis_with_both_options_is_right(redis_broker):
    options = {"visibility_timeout": 3600, "unacked_restore_interval": 10}
    redis_broker.CELERY_BROKER_TRANSPORT_OPTIONS = options
    assert ids(celery.check_redis_transport) == []


def test_other_brokers_have_no_such_options(settings):
    settings.CELERY_BROKER_URL = "amqp://localhost"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
    assert ids(celery.check_redis_transport) == []


# -- All of them ------------------------------------------------------------------------------------------


def test_the_quick_publisher_is_set_up_right_without_asking_the_database():
    # Without the mark django_db a query would fail.
    assert [str(message) for message in run_checks(tags=["wagtail_lifecycle"])] == []


def test_every_check_is_documented_and_every_documented_check_exists():
    folder = Path(checks.__file__).parent
    source = "\n".join(module.read_text() for module in folder.glob("*.py"))
    known = set(re.findall(r"wagtail_lifecycle\.([EWI]\d{3})", source))
    assert set(re.findall(r"wagtail_lifecycle\.([EWI]\d{3})", DOCUMENTED.read_text())) == known
