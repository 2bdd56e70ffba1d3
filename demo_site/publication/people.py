"""Groups, permissions and accounts of the demo."""

from django.contrib.auth.models import Group, Permission
from wagtail.models import GroupPagePermission
from wagtail.users.models import UserProfile

from demo_site.accounts.logins import LOGINS, Login
from demo_site.accounts.models import User
from demo_site.publication.models import HomePage
from demo_site.publication.texts import Author

GROUPS = ("Editors", "Moderators", "Owners")
PAGE_PERMISSIONS = {
    "Editors": ("add_page", "change_page"),
    "Moderators": ("add_page", "change_page", "publish_page"),
}
EDITING = (
    "access_admin",
    *("view_campaign", "add_campaign", "change_campaign", "send_test_campaign", "preview_people_campaign"),
    *("view_topic", "add_topic", "change_topic"),
    *("view_run", "view_delivery"),
)
#: Pictures and documents are granted per collection, by Wagtail's own migrations.
MODERATING = ("publish_campaign", "delete_campaign", "lock_campaign", "unlock_campaign", "steer_run")
MODEL_PERMISSIONS = {"Editors": EDITING, "Moderators": (*EDITING, *MODERATING)}

UNVERIFIED = {
    "priya.raman@example.org": "Priya Raman",
    "joao.teixeira@example.org": "João Teixeira",
    "wen.li@example.org": "Wen Li",
}
#: Who reads German; the others get what the site speaks.
GERMAN_READERS = {"soren.bjorndal@example.org", "wen.li@example.org"}


def ensure_groups(home: HomePage) -> None:
    for name in GROUPS:
        group, _created = Group.objects.get_or_create(name=name)
        allow_on_pages(group, home)
        allow_on_models(group)


def allow_on_pages(group: Group, home: HomePage) -> None:
    above = home.get_ancestors(inclusive=True)
    for codename in PAGE_PERMISSIONS.get(group.name, ()):
        granted = {"group": group, "permission__codename": codename}
        if not GroupPagePermission.objects.filter(page__in=above, **granted).exists():
            permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=codename)
            GroupPagePermission.objects.create(group=group, page=home.page_ptr, permission=permission)


def allow_on_models(group: Group) -> None:
    wanted = MODEL_PERMISSIONS.get(group.name, ())
    permissions = Permission.objects.filter(
        content_type__app_label__in=["wagtailadmin", "wagtail_lifecycle"], codename__in=wanted
    )
    group.permissions.add(*permissions)


def ensure_logins() -> None:
    for login in LOGINS:
        ensure_login(login)
    for email, name in UNVERIFIED.items():
        if not User.objects.filter(email=email).exists():
            add_person(email, name)


def ensure_login(login: Login) -> User:
    """Return the account; the password and the groups are set only when it is made."""
    user = User.objects.filter(email__iexact=login.email).first()
    if user is None:
        user = User.objects.create_user(
            login.email,
            login.password,
            name=login.name,
            is_verified=login.is_verified,
            is_superuser=login.is_superuser,
            is_staff=login.is_superuser,
        )
        user.groups.set(Group.objects.filter(name__in=login.groups))
    return user


def ensure_author(author: Author) -> User:
    user = User.objects.filter(email__iexact=author.email).first()
    return user or add_person(author.email, author.name, is_verified=True)


def add_person(email: str, name: str, *, is_verified: bool = False) -> User:
    """Make somebody without a password, who reads mails and never logs in."""
    user = User.objects.create_user(email, name=name, is_verified=is_verified)
    if email in GERMAN_READERS:
        UserProfile.objects.create(user=user, preferred_language="de")
    return user
