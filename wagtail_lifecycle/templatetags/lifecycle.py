"""Tags for mail blocks: `{% load lifecycle %}` in their .mjml and .txt templates."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, Node, Parser, Token, TokenType, token_kwargs
from django.utils.functional import Promise
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from wagtail_lifecycle.blocks.conditions import Condition
from wagtail_lifecycle.rendering.images import MailImage, mail_image
from wagtail_lifecycle.rendering.page_lists import ListedPage, pictures_of, summary_of
from wagtail_lifecycle.rendering.pieces import Constant, Personal, current_collector, personal_template
from wagtail_lifecycle.rendering.preview import preview_block
from wagtail_lifecycle.rendering.rich_text import absolute, rich_text_html, rich_text_plain
from wagtail_lifecycle.rendering.sections import Markers, mark_section

register = template.Library()

PLAIN = (int, float, bool, type(None))


class PersonalNode(Node):
    """Keeps its inside aside, to be rendered per recipient, and leaves a marker."""

    def __init__(self, source: str, arguments: dict[str, FilterExpression]) -> None:
        self.source = source
        # Here as well, so that a mistake is found when the template is loaded.
        personal_template(source, frozenset(arguments))
        self.arguments = arguments

    def render(self, context: template.Context) -> SafeString:
        values = {name: _plain(name, value.resolve(context)) for name, value in self.arguments.items()}
        texts = frozenset((name, value) for name, value in values.items() if isinstance(value, str))
        template = personal_template(self.source, frozenset(values), texts)
        return current_collector().add(Personal(template, values))


def _plain(name: str, value: Any) -> Any:
    """Return `value` as plain data, safe strings as strings, so that it is escaped like data."""
    if isinstance(value, str | Promise):
        return "".join(str(value))
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, list | tuple):
        return [_plain(name, item) for item in value]
    raise template.TemplateSyntaxError(
        f"{{% personal {name}=… %}} got a {type(value).__name__}; give it text, numbers or lists of them."
    )


@register.tag
def personal(parser: Parser, token: Token) -> PersonalNode:
    """Render the inside per recipient: it knows `recipient`, `data`, `links` and the tag's own arguments."""
    words = token.split_contents()[1:]
    arguments = token_kwargs(words, parser)
    if words:
        raise template.TemplateSyntaxError(
            f"{{% personal %}} takes name=value arguments only, not {' '.join(words)!r}."
        )
    return PersonalNode(_source_until_end(parser), arguments)


def _source_until_end(parser: Parser) -> str:
    """Rebuild the source from the parser's tokens: the tag must keep it, not compile it into this template."""
    parts: list[str] = []
    while parser.tokens:
        token = parser.next_token()
        if token.token_type == TokenType.BLOCK and token.contents == "endpersonal":
            return "".join(parts)
        parts.append(_source_of(token))
    raise template.TemplateSyntaxError("{% personal %} is never closed: write {% endpersonal %}.")


def _source_of(token: Token) -> str:
    match token.token_type:
        case TokenType.VAR:
            return f"{{{{ {token.contents} }}}}"
        case TokenType.BLOCK:
            return f"{{% {token.contents} %}}"
        case TokenType.COMMENT:
            return ""
    return str(token.contents)


@register.filter
def around_mjml(value: Any) -> SafeString:
    """Let text go around MJML, escaped: what MJML would damage arrives as it was typed."""
    return current_collector().add(Constant(conditional_escape(value)))


@register.filter
def mail_html(value: Any) -> SafeString:
    """Show rich text in a mail's HTML."""
    return rich_text_html(getattr(value, "source", value) or "")


@register.filter
def mail_foot_html(value: Any) -> SafeString:
    """Show rich text in a mail's HTML below the card, where its links have the colour of their text."""
    return rich_text_html(getattr(value, "source", value) or "", on_page=True)


@register.filter
def mail_text(value: Any) -> SafeString:
    """Show rich text in a mail's text part."""
    return rich_text_plain(getattr(value, "source", value) or "")


@register.filter
def mail_url(value: object) -> str:
    """Return an absolute URL for a page or a path; empty where a mail cannot lead there."""
    full_url = getattr(value, "full_url", None) if not isinstance(value, str) else None
    return absolute(str(full_url or value or ""))


@register.simple_tag
def mail_picture(image: Any, width: int, ratio: str | None = "") -> MailImage | None:
    """Return an absolute rendition of `image`, at most `width` CSS pixels wide; None where it does not exist.

    A `ratio` such as "16:9" crops it around its focal point.
    """
    return mail_image(image, width=width, ratio=ratio or "")


@register.simple_tag
def listed_pages(pages: list[Any], with_pictures: bool | None = False) -> list[ListedPage]:  # noqa: FBT001, FBT002
    """Return `pages` as a list of a mail shows them; those that have no address are left out."""
    pictures = pictures_of(pages) if with_pictures else {}
    urls = {page.pk: mail_url(page) for page in pages}
    return [
        ListedPage(page.title, urls[page.pk], summary_of(page), pictures.get(page.pk))
        for page in pages
        if urls[page.pk]
    ]


@register.simple_tag
def section_markers(condition: Condition) -> Markers:
    """Return the markers around a section that is shown only if `condition` holds: `.start` and `.end`."""
    return mark_section(condition)


@register.simple_tag
def preview_mail_block(bound_block: Any) -> SafeString:
    """Show one block as a whole mail, for the block picker."""
    return mark_safe(preview_block(bound_block.block, bound_block.value))  # noqa: S308 - a page of its own
