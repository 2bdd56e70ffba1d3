from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def mailbox_url() -> str:
    """Return where the demo's mails are read; nothing where there is no demo."""
    return settings.DEMO_MAILBOX_URL if settings.DEMO else ""
