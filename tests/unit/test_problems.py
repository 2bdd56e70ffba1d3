"""Why a campaign cannot be sent."""

import pytest
from django.contrib.auth.models import Group
from wagtail import blocks as wagtail_blocks
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Locale

from tests.support.campaigns import draft, topic
from tests.support.content import body, paragraph
from wagtail_lifecycle import registry
from wagtail_lifecycle.blocks import EmailBlock
from wagtail_lifecycle.models.problems import problems_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def sentences(field, **fields):
    return [problem.message for problem in problems_of(draft(**fields)) if problem.field == field]


def test_a_complete_campaign_has_no_problems():
    assert problems_of(draft()) == []


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("name", "Write a name: editors tell campaigns apart by it."),
        ("subject", "Write a subject: a mail without one is taken for spam."),
        ("sender", "Choose who the mail comes from."),
        ("audience", "Choose who gets the mail."),
    ],
)
def test_what_is_missing_is_said_at_its_field(field, sentence):
    assert sentences(field, **{field: ""}) == [sentence]


def test_an_empty_body_is_said_once():
    assert sentences("body", body=body()) == ["Add at least one block: the mail is empty."]


def test_a_sender_that_left_the_settings_is_named():
    assert "“gone” is not configured" in sentences("sender", sender="gone")[0]


def test_an_audience_nobody_registered_is_named():
    assert "“lapsed”" in sentences("audience", audience="lapsed")[0]


def test_an_audience_whose_group_was_deleted_says_so():
    group = Group.objects.create(name="Owners")
    name = f"group_members:{group.pk}"
    assert sentences("audience", audience=name) == []
    group.delete()
    assert "no longer exists" in sentences("audience", audience=name)[0]


def test_an_empty_required_field_is_found_in_its_block():
    found = sentences("body", body=body(paragraph("Hello"), ("heading", {"text": ""})))
    assert found == ["Block 2 (Heading): Text: This field is required."]


def test_a_picture_without_alternative_text_is_found_in_its_block():
    image = get_image_model().objects.create(title="Tram", file=get_test_image_file())
    value = {"image": {"image": image.pk, "alt_text": "", "decorative": False}, "page": None, "url": ""}
    found = sentences("body", body=body(("image", value)))
    assert len(found) == 1
    assert found[0].startswith("Block 1 (Picture): Picture: ")
    assert "alt text" in found[0]


def test_a_link_that_leads_nowhere_is_found_in_its_block():
    found = sentences("body", body=body(("button", {"text": "Go", "page": None, "url": "javascript:alert(1)"})))
    assert "javascript:alert(1)" in found[0]


def test_a_merge_tag_the_audience_lacks_is_refused_at_the_subject():
    assert "recipient.shoe_size" in sentences("subject", subject="Hello {{ recipient.shoe_size }}")[0]


def test_a_merge_tag_the_audience_lacks_is_refused_in_the_body():
    chip = paragraph('Hello <span data-merge-tag="recipient.shoe_size">Shoe size</span>')
    assert "recipient.shoe_size" in sentences("body", body=body(chip))[0]


def test_everything_is_said_at_once():
    campaign = draft(subject="{{ nonsense }}", sender="", audience="", body=body(("heading", {"text": ""})))
    assert {problem.field for problem in problems_of(campaign)} == {"subject", "sender", "audience", "body"}


def test_a_block_that_raises_is_a_problem_and_not_an_error(caplog):
    class Broken(EmailBlock):
        name = "broken"
        text = wagtail_blocks.CharBlock()

        def get_template(self, value=None, context=None):
            raise RuntimeError("a bug of the site")

    with registry.blocks.temporarily(Broken):
        found = sentences("body", body=body(("broken", {"text": "x"})))
    assert found == ["A block of this mail cannot be rendered. The site's log says why."]
    assert "a bug of the site" in caplog.text


@pytest.mark.parametrize("is_source", [True, False])
def test_a_translation_is_content_only(is_source):
    source = draft()
    translation = source if is_source else source.copy_for_translation(Locale.objects.create(language_code="de"))
    translation.audience = ""
    found = [problem.field for problem in problems_of(translation)]
    assert found == (["audience"] if is_source else [])


def test_a_merge_tag_typed_into_the_body_is_refused():
    campaign = draft(body=body(paragraph("Hi {{ recipient.first_name | friend }},")))
    assert [problem.field for problem in problems_of(campaign)] == ["body"]
    assert "would be sent as it stands" in problems_of(campaign)[0].message


def test_what_only_looks_like_template_code_is_the_editors_own_affair():
    assert problems_of(draft(body=body(paragraph("Write {{ user.password }} like this.")))) == []


@pytest.mark.parametrize("is_transactional", [True, False])
def test_a_topic_or_transactional_is_a_choice_somebody_must_make(is_transactional):
    campaign = draft(topic=topic() if is_transactional else None, is_transactional=is_transactional)
    assert [problem.field for problem in problems_of(campaign)] == ["topic"]


class RaisingBlock(EmailBlock):
    name = "raising"

    class Meta:
        template = "wagtail_lifecycle/blocks/divider.mjml"

    def clean(self, value):
        raise KeyError("oops")


def test_a_block_of_the_site_whose_check_raises_is_a_problem_and_no_error(caplog):
    with registry.blocks.temporarily(RaisingBlock):
        campaign = draft(body=body(("raising", {})))
        assert "cannot be checked" in problems_of(campaign)[0].message
    assert "check failed" in caplog.text
