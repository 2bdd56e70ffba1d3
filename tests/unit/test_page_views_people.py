"""Who counts as a person."""

import pytest

from wagtail_lifecycle.page_views import is_person

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    "user_agent",
    [
        FIREFOX,
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/26.6.1 Mobile/15E148 Safari/604.1"
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; CUBOT_P80) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/120.0.0.0 Mobile Safari/537.36"
        ),
        "Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16",
        "Links (2.7; Linux 5.10 x86_64; GNU C 4.5.3; text)",
        "Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1",
    ],
)
def test_a_browser_is_a_person(user_agent):
    assert is_person(user_agent)


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "facebookexternalhit/1.1",
        "UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/",
        "Tiny Tiny RSS/1.11 (http://tt-rss.org/)",
        "Mozilla/5.0 (compatible; Ezooms/1.0; help@moz.com)",
        "Mozilla/5.0 (compatible; UptimeWatcher)",
        "curl/8.5.0",
        "Wget/1.21",
        "python-requests/2.32",
        "Java/1.8.0_292",
        "Go-http-client/2.0",
        "libwww-perl/6.05",
        "Mozilla/5.0 HeadlessChrome/120.0.0.0 Safari/537.36",
    ],
)
def test_a_robot_is_no_person(user_agent):
    assert not is_person(user_agent)


@pytest.mark.parametrize("user_agent", ["", " ", "-"])
def test_who_does_not_say_what_it_is_is_no_person(user_agent):
    assert not is_person(user_agent)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ],
)
def test_a_browser_that_loads_ahead_is_no_person(header, value):
    assert not is_person(FIREFOX, {header: value})


def test_a_robot_is_found_in_a_very_long_user_agent_in_no_time():
    assert not is_person("Googlebot/2.1 " + "a" * 100_000)
