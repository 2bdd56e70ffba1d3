"""What every block of a mail shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final

from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.utils.safestring import mark_safe
from wagtail import blocks as wagtail_blocks

from wagtail_lifecycle import registry
from wagtail_lifecycle.blocks.conditions import Condition, ConditionBlock

#: the field of every block that says who sees it
CONDITION: Final = "show_only_if"


class EmailBlock(wagtail_blocks.StructBlock):
    """Base of the blocks of a mail's body.

    Subclass it, give it fields and a `Meta`, and register it with `register_block`. `Meta.template` names the MJML
    template, which ends in `.mjml`; the text part uses the same name ending in `.txt`.
    """

    #: what the body is stored under; data, never changes
    name: str = ""
    #: whether a mail of which only such blocks are left is worth sending; not so for headings and lines
    says_something: bool = True
    #: whether it shows `links.verify`; who asks for another verification mail gets the first one with such a block
    asks_to_verify: bool = False

    #: None in a subclass takes the choice away
    show_only_if: ConditionBlock | None = ConditionBlock()

    class Meta:
        #: path of the MJML template; the text template stands beside it
        template = ""
        #: path of the text template, where it stands elsewhere
        text_template = ""
        #: names of the data sources whose data the template reads
        requires: tuple[str, ...] = ()
        preview_template = "wagtail_lifecycle/admin/block_preview.html"

    def get_form_layout(self) -> wagtail_blocks.BlockGroup:
        """Put the condition among the settings, unless the block's own layout has a place for it."""
        layout = super().get_form_layout()
        if self.meta.form_layout is not None and CONDITION in layout.get_sorted_block_names():
            return layout
        children = [child for child in layout.children if child != CONDITION]
        settings = [CONDITION] if CONDITION in self.child_blocks else []
        return wagtail_blocks.BlockGroup(children=children, settings=[*layout.settings, *settings])

    def get_condition(self, value: Any) -> Condition | None:
        """Return the condition under which readers see the block with `value`; None for always."""
        return Condition.parse(value.get(CONDITION)) if CONDITION in self.child_blocks else None

    def get_required_data(self, value: Any) -> tuple[str, ...]:  # noqa: ARG002
        """Return the names of the data sources that the block reads when it holds `value`."""
        return tuple(self.meta.requires)

    def get_template(self, value: Any = None, context: Mapping[str, Any] | None = None) -> str:  # noqa: ARG002
        template: str = self.meta.template
        if (context or {}).get("mail_format") == "txt":
            return str(self.meta.text_template or template.removesuffix(".mjml") + ".txt")
        return template

    def render(self, value: Any, context: Mapping[str, Any] | None = None) -> str:
        """Render either part, between markers where only some readers see the block."""
        shown = mark_safe(self._render_part(value, context))  # noqa: S308 - a template made it
        condition = self.get_condition(value)
        if condition is None or not shown.strip():
            return shown
        extension = "txt" if (context or {}).get("mail_format") == "txt" else "mjml"
        values = {"condition": condition, "shown": shown}
        return str(render_to_string(f"wagtail_lifecycle/blocks/only_if.{extension}", values))

    def _render_part(self, value: Any, context: Mapping[str, Any] | None) -> str:
        """Render without the condition. The text part is no HTML: what stands in it is not escaped."""
        if (context or {}).get("mail_format") != "txt":
            return str(super().render(value, context=context))
        values = self.get_context(value, parent_context=dict(context or {}))
        template = get_template(self.get_template(value, context))
        # Only Django's own engine can be told not to escape; a site's Jinja templates decide for themselves.
        backend = getattr(template, "template", None)
        if not isinstance(backend, Template):
            return str(template.render(values))
        return str(backend.render(Context(values, autoescape=False)))


class _RegisteredBlocks(MutableMapping[str, Any]):
    """The registered blocks by name, one instance each; it follows the registry, also in tests."""

    def __init__(self) -> None:
        self._instances: dict[type, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in registry.blocks:
            raise KeyError(name)
        cls = registry.blocks.get(name)
        if cls not in self._instances:
            self._instances[cls] = cls()
            self._instances[cls].set_name(name)
        return self._instances[cls]

    def __iter__(self) -> Iterator[str]:
        return iter(registry.blocks.names())

    def __len__(self) -> int:
        return len(registry.blocks.names())

    def __setitem__(self, name: str, block: Any) -> None:
        raise TypeError("Register mail blocks with register_block().")

    def __delitem__(self, name: str) -> None:
        raise TypeError("Registered mail blocks stay.")

    def copy(self) -> _RegisteredBlocks:
        return self


class EmailBodyBlock(wagtail_blocks.StreamBlock):
    """The body of a mail: a stream of every registered block."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.child_blocks = _RegisteredBlocks()
