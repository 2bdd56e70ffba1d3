"""Who wrote which page, for wagtail_lifecycle: posts have authors, other pages nobody."""

from collections.abc import Iterable, Mapping

from wagtail.models import Page

from demo_site.publication.models import PostAuthor
from wagtail_lifecycle.audiences import Recipient, recipients_of_users


def recipients_of_pages(pages: Iterable[Page]) -> Mapping[int, list[Recipient]]:
    """Return the authors of each post, in their order, in two queries however many pages there are."""
    links = list(
        PostAuthor.objects.filter(post__in=[page.pk for page in pages])
        .select_related("user")
        .order_by("post_id", "sort_order", "pk")
    )
    users = {link.user_id: link.user for link in links}
    recipients = dict(zip(users, recipients_of_users(list(users.values())), strict=True))
    authors: dict[int, list[Recipient]] = {}
    for link in links:
        authors.setdefault(link.post_id, []).append(recipients[link.user_id])
    return authors
