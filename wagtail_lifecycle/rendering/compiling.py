"""Compile once per revision, locale and site; personalise per recipient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.template import TemplateSyntaxError
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from wagtail_lifecycle import registry
from wagtail_lifecycle.blocks.conditions import Condition
from wagtail_lifecycle.conf import Sender, settings
from wagtail_lifecycle.exceptions import CompileError, UnknownName
from wagtail_lifecycle.rendering import mjml
from wagtail_lifecycle.rendering.conditions import holds
from wagtail_lifecycle.rendering.content import Content, Links, Mail, Octets, Person
from wagtail_lifecycle.rendering.merge_tags import allowed_merge_tags, mark_merge_tags
from wagtail_lifecycle.rendering.pieces import Collector, Parts, collecting
from wagtail_lifecycle.rendering.remembering import MEMORY, memory_of
from wagtail_lifecycle.rendering.sections import Variants, has_sections, refuse_unbalanced
from wagtail_lifecycle.rendering.substance import Substance, is_empty, required_data, substance_of
from wagtail_lifecycle.rendering.tidying import tidied


@dataclass(frozen=True, kw_only=True)
class CompiledMail:
    """A mail of which only the pieces per person are left to render."""

    language: str
    subject: Parts
    html: Parts
    text: Parts
    sender_name: str
    #: names of the data sources whose data the pieces read or the conditions ask about
    required: frozenset[str]
    #: what each block of the body adds
    substance: tuple[Substance, ...] = ()

    def personalise(self, recipient: Person, *, data: Mapping[str, object], links: Links) -> Mail:
        """Render the mail of one person.

        `data` maps the name of a data source to what it loaded for this person; `links` holds absolute URLs. Errors
        that a block's own template raises are passed on.
        """
        hidden = self._hidden_from({"recipient": recipient, "data": data})
        with translation.override(self.language), timezone.override(_zone_of(recipient.time_zone)):
            memory = memory_of(translation.get_language())
            values = {"recipient": recipient, "data": data, "links": links, MEMORY: memory}
            html, text = (part.encode(values, hidden=hidden) for part in self._variants)
            return Mail(
                # Of a person without a name nothing may be left of a subject that is all merge tags.
                subject=self.subject.join(values).strip() or self.sender_name,
                octets=Octets(html=html, text=text),
            )

    def is_empty_for(self, recipient: Person, data: Mapping[str, object]) -> bool:
        """Tell whether nothing would be left for this person to read: such a mail is not sent."""
        return is_empty(self.substance, {"recipient": recipient, "data": data})

    def _hidden_from(self, values: Mapping[str, Any]) -> frozenset[Condition]:
        return frozenset(condition for condition in self._conditions if not holds(condition, values))

    @cached_property
    def _variants(self) -> tuple[Variants, Variants]:
        return Variants(self.html, finish=lambda parts: parts), Variants(self.text, finish=tidied)

    @cached_property
    def _conditions(self) -> frozenset[Condition]:
        return frozenset().union(*(part.conditions for part in self._variants))


def _zone_of(name: str) -> ZoneInfo:
    """Return the zone of that name; the site's own for people who have none, or none that exists."""
    try:
        return ZoneInfo(name) if name else settings.time_zone
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return settings.time_zone


def compile_mail(content: Content) -> CompiledMail:
    """Compile `content`. Raises CompileError, with the field at fault and a sentence for the editor."""
    try:
        sender = settings.sender(content.sender)
    except UnknownName as error:
        raise CompileError(str(error), field="sender") from error
    with translation.override(content.language):
        return CompiledMail(
            language=content.language,
            subject=_compile_subject(content),
            html=_compile_html(content, sender),
            text=_compile_text(content, sender),
            sender_name=sender.name or sender.address,
            required=_known_sources(content.body),
            substance=tuple(substance_of(content.body)),
        )


def _known_sources(body: Any) -> frozenset[str]:
    names = frozenset(required_data(body))
    for name in sorted(names):
        try:
            registry.data_sources.get(name)
        except UnknownName as error:
            raise CompileError(_("A block asks for data that nobody loads: %(reason)s") % {"reason": error}) from error
    return names


def _compile_subject(content: Content) -> Parts:
    with collecting(html=False, merge_tags=allowed_merge_tags(content.audience)) as collector:
        return collector.split(_marked(content.subject, collector, field="subject"))


def _compile_html(content: Content, sender: Sender) -> Parts:
    palette = content.brand.light
    with collecting(html=True, merge_tags=allowed_merge_tags(content.audience), palette=palette) as collector:
        markup = _render("mjml", content, sender, collector)
        mjml.refuse_oversized(markup)
        markup = mjml.shield_attributes(markup, collector)
        html = mjml.to_html(markup)
        if collector.missing_from(html, of=markup):
            raise CompileError(
                _("A block swallows part of its content: MJML drops what stands in a tag it does not expect."),
            )
        # The end of its last line: nothing follows that a soft line break would join it to.
        return refuse_unbalanced(collector.split(f"{html.rstrip()}\n"))


def _compile_text(content: Content, sender: Sender) -> Parts:
    with collecting(html=False, merge_tags=allowed_merge_tags(content.audience)) as collector:
        parts = refuse_unbalanced(collector.split(_render("txt", content, sender, collector)))
        # What has sections is tidied without those that a person does not see.
        return parts if has_sections(parts) else tidied(parts)


def _render(extension: str, content: Content, sender: Sender, collector: Collector) -> str:
    context = {
        "content": content,
        "sender": sender,
        "brand": content.brand,
        "postal_address": content.brand.postal_address or sender.postal_address,
        "subject": _marked(content.subject, collector, field="subject"),
        "preheader": _marked(content.preheader, collector, field="preheader"),
        "mail_format": extension,
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        "start": "right" if translation.get_language_bidi() else "left",
        "end": "left" if translation.get_language_bidi() else "right",
    }
    try:
        return render_to_string(f"wagtail_lifecycle/emails/base.{extension}", context)
    except TemplateSyntaxError as error:
        raise CompileError(_("A block's template is wrong: %(reason)s") % {"reason": error}, field="body") from error


def _marked(text: str, collector: Collector, *, field: str) -> str:
    return mark_merge_tags(text, allowed=collector.merge_tags, field=field, mark=collector.add)
