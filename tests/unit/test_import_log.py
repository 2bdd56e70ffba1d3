"""The command that imports an access log."""

import gzip
import hashlib
import io
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from wagtail.models import Page, Site

from tests.support.page_trees import add_home, root_page
from wagtail_lifecycle.models.page_views import DailyPageViews, Views

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def line(path="/post/", *, method="GET", status=200, agent=FIREFOX, moment="17/May/2015:10:05:03 +0000"):
    return f'203.0.113.9 - - [{moment}] "{method} {path} HTTP/1.1" {status} 2326 "-" "{agent}"\n'


@pytest.fixture(autouse=True)
def _berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"


@pytest.fixture
def home(db):
    return add_home(Page(title="Home", slug="home-of-logs"))


@pytest.fixture
def post(home):
    return home.add_child(instance=Page(title="Post", slug="post"))


@pytest.fixture
def log(tmp_path):
    def write(*lines, name="access.log"):
        path = tmp_path / name
        path.write_bytes("".join(lines).encode())
        return path

    return write


@pytest.fixture
def csv(tmp_path):
    def write(*rows):
        path = tmp_path / "map.csv"
        path.write_text("\n".join(rows), encoding="utf-8")
        return path

    return write


def run(*args):
    out = io.StringIO()
    call_command("lifecycle_import_log", *map(str, args), stdout=out, stderr=out)
    return out.getvalue()


def imported():
    return {(row.page_id, row.day): row.count for row in DailyPageViews.objects.exclude(source="")}


def test_views_of_people_are_imported(post, home, log):
    report = run(log(line(), line(), line("/")))

    assert imported() == {(post.pk, date(2015, 5, 17)): 2, (home.pk, date(2015, 5, 17)): 1}
    assert "3 lines read, 3 views of 2 pages imported from 2015-05-17 to 2015-05-17." in report


@pytest.mark.parametrize(
    "path",
    [
        "/post",
        "/post/?page=2",
        "/post?utm_source=mail#part",
        "/p%6Fst/",
        "//post/",
        "http://testserver/post/",
    ],
)
def test_a_path_is_found_in_all_its_spellings(post, log, path):
    run(log(line(path)))
    assert imported() == {(post.pk, date(2015, 5, 17)): 1}


def test_a_page_with_a_name_outside_ascii_is_found(home, log):
    page = home.add_child(instance=Page(title="Größe", slug="größe"))
    run(log(line("/gr%C3%B6%C3%9Fe/")))
    assert imported() == {(page.pk, date(2015, 5, 17)): 1}


def test_the_report_says_what_was_left_out_and_why(post, log):
    report = run(
        log(
            line(),
            line(method="POST"),
            line(method="HEAD"),
            line(status=304),
            line("/static/style.css?v=3"),
            line("/robots.txt"),
            line(agent="-"),
            line(agent="Googlebot/2.1"),
            line("/nowhere/"),
            "what is this\n",
        )
    )
    for text in (
        "10 lines read, 1 views",
        "2 another method than GET",
        "1 another status than 200",
        "2 an image, style sheet, script, feed or document",
        "1 an empty user agent",
        "1 a robot",
        "1 no page at this path",
        "1 not a line of the combined format",
        "1 /nowhere",
    ):
        assert text in report


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("17/May/2015:21:59:59 +0000", date(2015, 5, 17)),
        ("17/May/2015:22:00:00 +0000", date(2015, 5, 18)),
        ("17/May/2015:23:30:00 +0530", date(2015, 5, 17)),
        ("17/May/2015:17:00:00 -0500", date(2015, 5, 18)),
    ],
)
def test_the_day_is_that_of_the_sites_zone(post, log, moment, day):
    run(log(line(moment=moment)))
    assert imported() == {(post.pk, day): 1}


def test_importing_twice_changes_nothing(post, log):
    path = log(line(), line())
    run(path)
    before = imported()
    run(path)

    assert imported() == before == {(post.pk, date(2015, 5, 17)): 2}
    assert DailyPageViews.objects.get().source == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_packed_log_is_the_same_log(post, log, tmp_path):
    path = log(line(), line())
    packed = tmp_path / "access.log.1.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    run(path)
    run(packed)

    assert imported() == {(post.pk, date(2015, 5, 17)): 2}


def test_another_log_adds_to_the_first_and_the_overlap_is_mentioned(post, log):
    run(log(line()))
    report = run(log(line(), line(), name="other.log"))

    assert DailyPageViews.objects.all().total() == 3
    assert "1 of these days have views from elsewhere too" in report


def test_views_counted_live_stay_as_they_are(post, log):
    DailyPageViews.objects.add_views([Views(post.pk, date(2015, 5, 17), 5)])
    run(log(line()))

    assert DailyPageViews.objects.get(source="").count == 5


def test_a_map_leads_old_paths_to_pages(post, home, log, csv):
    path = log(line("/old/one.html"), line("/old/two"), line("/old/three/?x=1"), line())
    run(
        path,
        "--map",
        csv("old path,page", f"/old/one.html,{post.pk}", "/old/two/,/post/", "", "/old/three,/"),
    )
    assert imported() == {(post.pk, date(2015, 5, 17)): 3, (home.pk, date(2015, 5, 17)): 1}


def test_another_map_replaces_what_the_first_brought(post, home, log, csv):
    path = log(line("/old"))
    run(path, "--map", csv(f"/old,{post.pk}"))
    run(path, "--map", csv(f"/old,{home.pk}"))

    assert imported() == {(home.pk, date(2015, 5, 17)): 1}


def test_a_map_with_bad_rows_imports_nothing_and_names_each(post, log, csv):
    bad_map = csv("old,new", f"/good,{post.pk}", "/a,/nowhere/", "/b,99999", "no slash,/post/", "/c", "/good,/post/,3")
    with pytest.raises(CommandError) as error:
        run(log(line("/good")), "--map", bad_map)

    assert str(error.value).splitlines() == [
        "Nothing was imported. The map has rows that lead nowhere:",
        "line 3: there is no live page at '/nowhere/'; give a page's id or its current path",
        "line 4: there is no page with the id 99999",
        "line 5: 'no slash' is no path, which begins with a slash",
        "line 6: 1 columns, 2 expected: the old path and a page",
        "line 7: 3 columns, 2 expected: the old path and a page",
    ]
    assert not imported()


def test_a_bad_first_row_is_not_taken_for_a_header(post, log, csv):
    with pytest.raises(CommandError, match="line 1: 'old' is no path"):
        run(log(line("/old")), "--map", csv(f"old,{post.pk}"))


def test_a_path_that_leads_to_two_pages_is_an_error(post, home, log, csv):
    with pytest.raises(CommandError, match=f"line 2: /old leads to page {post.pk} already"):
        run(log(line("/old")), "--map", csv(f"/old,{post.pk}", f"/old/,{home.pk}"))


def test_a_map_that_is_no_csv_is_an_error(post, log, csv):
    with pytest.raises(CommandError, match="Save the map as CSV"):
        run(log(line()), "--map", csv('/old,"never closed'))


def test_a_map_in_another_encoding_is_an_error(post, log, tmp_path):
    path = tmp_path / "map.csv"
    path.write_bytes("/größe,1".encode("latin-1"))
    with pytest.raises(CommandError, match="is not UTF-8"):
        run(log(line()), "--map", path)


@pytest.mark.parametrize("arguments", [["nowhere.log"], ["{log}", "--map", "nowhere.csv"]])
def test_a_file_that_is_not_there_is_an_error(post, log, arguments):
    path = str(log(line()))
    with pytest.raises(CommandError, match=r"Cannot read nowhere\.\w+: No such file"):
        run(*(argument.format(log=path) for argument in arguments))


def test_another_format_is_an_error_with_the_line_and_an_example(db, log):
    with pytest.raises(CommandError, match=r"(?s)Line 1 is not of the combined log format.*GET /blog/ HTTP"):
        run(log('{"time": "2015-05-17", "path": "/"}\n'))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02", "is binary"),
        (gzip.compress(b"\x00\x01\x02", mtime=0), "is binary"),
        (gzip.compress(line().encode() * 1000, mtime=0)[:-20], "damaged or ends too early"),
        (b"\x1f\x8b\x08\x00garbage that is no deflate", "damaged or ends too early"),
    ],
)
def test_what_is_no_log_is_an_error_and_imports_nothing(post, tmp_path, content, fault):
    path = tmp_path / "access.log"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=fault):
        run(path)
    assert not imported()


@pytest.mark.parametrize(
    "odd",
    [
        '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "\\x16\\x03\\x01" 400 0 "-" "-"\n',
        '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "-" 408 0 "-" "-"\n',
        '203.0.113.9 - - [99/Nix/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 0 "-" "Firefox"\n',
        line("http://[broken"),
        line("/" + "a" * 200_000),
        line(agent='Firefox \\"quoted\\"', path="/nowhere"),
        "\n",
    ],
)
def test_odd_lines_disturb_nothing(post, log, odd):
    run(log(line(), odd, line()))
    assert imported() == {(post.pk, date(2015, 5, 17)): 2}


def test_many_pages_cost_as_many_queries_as_one(home, log, django_assert_max_num_queries):
    lines = []
    for number in range(60):
        home.add_child(instance=Page(title=f"Page {number}", slug=f"page-{number}"))
        lines.append(line(f"/page-{number}/"))

    with django_assert_max_num_queries(14):
        run(log(*lines))
    assert len(imported()) == 60


def test_where_two_sites_have_one_path_the_default_sites_page_counts(post, log):
    other = root_page().add_child(instance=Page(title="Other", slug="other"))
    Site.objects.create(hostname="other.example.org", root_page=other)
    other.add_child(instance=Page(title="Post", slug="post"))
    only_there = other.add_child(instance=Page(title="Only there", slug="only-there"))

    run(log(line(), line("/only-there/")))

    assert imported() == {(post.pk, date(2015, 5, 17)): 1, (only_there.pk, date(2015, 5, 17)): 1}


def test_a_terminal_sees_a_progress_bar(post, log):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    path = log(*[line()] * 2500)
    call_command("lifecycle_import_log", str(path), stdout=io.StringIO(), stderr=terminal, no_color=True)

    assert terminal.getvalue().count("\r[") == 3
    assert terminal.getvalue().endswith(f"\r[{'#' * 40}] 100%\n")
