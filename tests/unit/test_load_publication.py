"""`load_publication`: Markdown to rich text, co-authors, pictures, and what it refuses."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image as PillowImage
from wagtail.images.models import Image

from demo_site.accounts.models import User
from demo_site.publication.liquid import without_liquid
from demo_site.publication.models import AuthorPage, PostPage
from demo_site.publication.rich_text import TooDeepError, from_markdown

FIRST = {
    "path": "content/posts/2025-03-01-a-first-look.md",
    "title": "A first look at the harbour",
    "date": "2025-03-01",
    "authors": ["noor", "Ines Duarte"],
    "tags": ["harbour", "mornings"],
    "excerpt": "What the cranes do before breakfast.",
    "image": "/assets/blog/harbour/crane.png",
    "hero": "",
    "body_markdown": (
        "The *cranes* wake first. See [the next piece]"
        '({{ "/2025/03/02/a-second-look/" | url }}) or [ask us](mailto:desk@example.org).\n\n'
        '{% image "assets/blog/harbour/map.png" "A map" %}\n\n'
        "<script>alert(1)</script>\n\n## Tides\n\n- high\n- low\n"
    ),
}
SECOND = {
    "path": "content/posts/2025-03-02-a-second-look.md",
    "title": "A second look",
    "date": "2025-03-02",
    "authors": ["noor"],
    "tags": [],
    "excerpt": "",
    "image": "",
    "hero": "",
    "body_markdown": "Nothing [new](/nowhere/).",
}


@pytest.fixture
def publication(tmp_path: Path, settings) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    folder = tmp_path / "publication"
    (folder / "images").mkdir(parents=True)
    for name in ("crane", "map"):
        PillowImage.new("RGB", (640, 400), "teal").save(folder / "images" / f"harbour__{name}.png")
    write(folder, [FIRST, SECOND])
    return folder


def write(folder: Path, content: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "posts.json").write_text(text, encoding="utf-8")


def load(folder: Path, *options: str) -> str:
    output = StringIO()
    call_command("load_publication", str(folder), *options, stdout=output)
    return output.getvalue()


# -- What it loads -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_posts_become_live_pages_with_date_intro_and_tags(publication: Path) -> None:
    assert "Loaded 2 posts, 2 new authors and 2 pictures; 0 posts were there already." in load(publication)
    post = PostPage.objects.get(slug="a-first-look")
    assert (post.live, str(post.date), post.intro) == (True, "2025-03-01", "What the cranes do before breakfast.")
    assert {tag.name for tag in post.tags.all()} == {"harbour", "mornings"}
    assert post.first_published_at.date() == post.date


@pytest.mark.django_db
def test_co_authors_become_verified_users_who_cannot_log_in(publication: Path) -> None:
    load(publication)
    post = PostPage.objects.get(slug="a-first-look")
    assert [(user.name, user.email) for user in post.authors] == [
        ("noor", "noor@authors.example.org"),
        ("Ines Duarte", "ines-duarte@authors.example.org"),
    ]
    assert all(user.is_verified and not user.has_usable_password() for user in post.authors)
    assert set(AuthorPage.objects.values_list("slug", flat=True)) == {"noor", "ines-duarte"}


@pytest.mark.django_db
def test_the_author_page_lists_the_posts_of_an_author(publication: Path, client) -> None:
    load(publication)
    html = client.get("/authors/noor/").content.decode()
    assert "A first look at the harbour" in html
    assert "A second look" in html
    assert "A second look" not in client.get("/authors/ines-duarte/").content.decode()


@pytest.mark.django_db
def test_links_to_other_posts_become_page_links_also_to_later_ones(publication: Path) -> None:
    load(publication)
    body = PostPage.objects.get(slug="a-first-look").body
    second = PostPage.objects.get(slug="a-second-look")
    assert f'<a linktype="page" id="{second.pk}">the next piece</a>' in body
    assert '<a href="mailto:desk@example.org">ask us</a>' in body
    assert "<a" not in second.body
    assert "Nothing new." in second.body


@pytest.mark.django_db
def test_pictures_are_found_by_the_end_of_their_address(publication: Path) -> None:
    load(publication)
    post = PostPage.objects.get(slug="a-first-look")
    assert (post.picture.width, post.picture.height) == (640, 400)
    inline = Image.objects.exclude(pk=post.picture_id).get()
    assert f'embedtype="image" format="fullwidth" id="{inline.pk}"' in post.body


@pytest.mark.django_db
def test_a_second_run_changes_nothing(publication: Path) -> None:
    load(publication)
    before = list(PostPage.objects.order_by("pk").values())
    assert "Loaded 0 posts, 0 new authors and 0 pictures; 2 posts were there already." in load(publication)
    assert list(PostPage.objects.order_by("pk").values()) == before
    assert (User.objects.count(), Image.objects.count()) == (2, 2)


@pytest.mark.django_db
def test_a_limit_loads_the_first_posts_and_a_later_run_the_rest(publication: Path) -> None:
    load(publication, "--limit", "1")
    assert PostPage.objects.count() == 1
    assert "Loaded 1 posts" in load(publication)
    assert PostPage.objects.count() == 2


@pytest.mark.django_db
def test_the_file_itself_can_be_named(publication: Path) -> None:
    assert "Loaded 2 posts" in load(publication / "posts.json")


@pytest.mark.django_db
def test_posts_of_the_same_name_get_different_addresses(publication: Path) -> None:
    write(publication, [SECOND, SECOND | {"path": "content/other/2025-04-02-a-second-look.md"}])
    load(publication)
    assert set(PostPage.objects.values_list("slug", flat=True)) == {"a-second-look", "a-second-look-2"}


@pytest.mark.django_db
def test_names_without_a_latin_letter_get_an_address_of_their_own(publication: Path) -> None:
    write(publication, [SECOND | {"authors": ["林 芽衣", "ليلى"]}])
    load(publication)
    assert len({user.email for user in PostPage.objects.get().authors}) == 2


# -- What it refuses -----------------------------------------------------------------------------------------


def without(key: str) -> dict[str, object]:
    return {name: value for name, value in SECOND.items() if name != key}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{not json", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ({"posts": []}, "holds dict; it must be a list of posts"),
        ([FIRST, "a post"], "Post 2 is str; it must be an object"),
        ([FIRST, without("title")], "Post 2 lacks title"),
        ([FIRST, without("body_markdown")], "Post 2 lacks body_markdown"),
        ([FIRST, SECOND | {"date": "2 March"}], "date is '2 March'; write it as"),
        ([FIRST, SECOND | {"authors": "noor"}], "authors is str; it must be list"),
        ([FIRST, SECOND | {"authors": []}], "path and authors must not be empty"),
        ([FIRST, SECOND | {"title": "x" * 300}], "the title must have 1 to 255 characters"),
        ([FIRST, SECOND | {"title": "a\0b"}], "title must be text without NUL"),
        ([FIRST, SECOND | {"tags": [3]}], "tags must be text"),
        ([FIRST, FIRST], "occurs twice"),
        ([FIRST, SECOND | {"body_markdown": "<div>" * 5000 + "x"}], "nested too deeply"),
    ],
)
def test_bad_input_is_one_clear_error_and_changes_nothing(publication: Path, content: object, message: str) -> None:
    write(publication, content)
    with pytest.raises(CommandError, match=message):
        load(publication)
    assert (PostPage.objects.count(), User.objects.count(), Image.objects.count()) == (0, 0, 0)


@pytest.mark.django_db
def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file or folder .*nowhere"):
        load(tmp_path / "nowhere")


@pytest.mark.django_db
def test_a_folder_with_two_json_files_asks_for_one(publication: Path) -> None:
    (publication / "more.json").write_text("[]")
    with pytest.raises(CommandError, match=r"found: more.json, posts.json"):
        load(publication)


@pytest.mark.django_db
def test_a_picture_that_is_none_is_named_and_nothing_is_loaded(publication: Path) -> None:
    (publication / "images" / "harbour__crane.png").write_text("no picture")
    with pytest.raises(CommandError, match=r"harbour__crane.png is not a picture"):
        load(publication)
    assert PostPage.objects.count() == 0


@pytest.mark.django_db
def test_a_picture_outside_the_folder_is_not_read(publication: Path) -> None:
    PillowImage.new("RGB", (8, 8)).save(publication / "secret.png")
    write(publication, [SECOND | {"image": "../secret.png"}])
    load(publication)
    assert PostPage.objects.get().picture is None


# -- Markdown to rich text -----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# Big\n\n##### Small", "<h2>Big</h2><h4>Small</h4>"),
        ("**bold** and *soft* and `code`", "<p><b>bold</b> and <i>soft</i> and <code>code</code></p>"),
        ("> one\n>\n> two", "<blockquote>one</blockquote><blockquote>two</blockquote>"),
        ("- a\n\n- b\n    - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("```\nx < 1\n  y\n```", "<p><code>x &lt; 1<br/> y</code></p>"),
        ("a | b\n--|--\n1 | 2", "<p>a · b</p><p>1 · 2</p>"),
        ("[x](javascript:alert(1))", "<p>x</p>"),
        ("[x](JaVaScRiPt:alert(1))", "<p>x</p>"),
        ("[x](data:text/html,hi)", "<p>x</p>"),
        ("[x](#anchor) [y](../up/) [z](http://[)", "<p>x y z</p>"),
        ("[x](//example.org/a)", '<p><a href="//example.org/a">x</a></p>'),
        ("<b onclick='x()' style='color:red'>hi</b>", "<p><b>hi</b></p>"),
        ("<style>p{}</style><iframe src='//x'>in</iframe>text", "<p>text</p>"),
        ("<!-- hidden --> shown", "<p>shown</p>"),
        ("<svg onload=alert(1)><p>x</p></svg>", ""),
        ("<div>one <p>two</p> three</div>", "<p>one</p><p>two</p><p>three</p>"),
        ("![far](https://example.org/a.png) near", "<p>near</p>"),
        ("<b>never closed", "<p><b>never closed</b></p>"),
        ("5 &lt; 6 & 7", "<p>5 &lt; 6 &amp; 7</p>"),
        ("", ""),
    ],
)
def test_markdown_becomes_what_the_editor_would_store(source: str, expected: str) -> None:
    html = re.sub(r' data-block-key="\w+"', "", from_markdown(source))
    assert html in {expected, expected or "<p></p>"}


@pytest.mark.django_db
def test_text_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(TooDeepError):
        from_markdown("<div>" * 5000 + "x")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('[a]({{ "/about/" | url }})', "[a](/about/)"),
        ('{% image "assets/x.png" "An \'x\'" %}', "![An 'x'](/assets/x.png)"),
        ('{% image_with_class "assets/x.png" "wide" "X" %}', "![X](/assets/x.png)"),
        ('{{ "https://example.org/v" | embed: "A film" }}', "[A film](https://example.org/v)"),
        ('{{ "noor" | team_photo }}{{ "noor" | team_link }} writes', "noor writes"),
        ("a{% comment %} b {% endcomment %}c{{ site.baseurl }}", "ac"),
    ],
)
def test_tags_of_site_generators_become_markdown(source: str, expected: str) -> None:
    assert without_liquid(source) == expected
