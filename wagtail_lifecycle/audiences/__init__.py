"""Who gets a mail: registered, named queries of people."""

from wagtail_lifecycle.audiences.base import (
    Audience,
    AudiencePage,
    Recipient,
    audience_choices,
    get_audience,
)
from wagtail_lifecycle.audiences.groups import GroupMembers
from wagtail_lifecycle.audiences.page_authors import PageAuthors
from wagtail_lifecycle.audiences.users import (
    ActiveUsers,
    UnverifiedUsers,
    UserAudience,
    mailable_users,
    recipients_of_users,
)

__all__ = [
    "ActiveUsers",
    "Audience",
    "AudiencePage",
    "GroupMembers",
    "PageAuthors",
    "Recipient",
    "UnverifiedUsers",
    "UserAudience",
    "audience_choices",
    "get_audience",
    "mailable_users",
    "recipients_of_users",
]
