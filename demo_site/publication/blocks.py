"""The blocks that the demo's campaigns are made of, in the form that a StreamField stores."""

from demo_site.publication.models import HomePage

Block = tuple[str, dict[str, object]]

FIRST_NAME = '<span data-merge-tag="recipient.first_name" data-fallback="reader">First name</span>'


def heading(words: str) -> Block:
    return "heading", {"text": words, "size": "large"}


def text(html: str) -> Block:
    return "rich_text", {"text": html}


def call_out(html: str) -> Block:
    return "call_out", {"tone": "info", "text": html}


def sample_readers(more: str = "") -> Block:
    sentence = "Sample readers did the reading here. Log out and open a post: your view is added to theirs."
    return call_out(f"<p>{' '.join(filter(None, [sentence, more]))}</p>")


def views(title: str) -> Block:
    return "page_views", {"heading": title, "when_empty": "Nobody has opened your pages in this period."}


def verify_button(words: str) -> Block:
    return "verify_button", {"text": words}


def button(words: str, *, page: HomePage | None = None, url: str = "") -> Block:
    return "button", {"text": words, "page": page, "url": url}
