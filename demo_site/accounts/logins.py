"""The logins of the demo, one for each role; the log-in page lists them where settings.DEMO is on."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Login:
    """One account of the demo."""

    role: str
    email: str
    name: str
    password: str
    #: names of the groups it is in
    groups: tuple[str, ...] = ()
    is_superuser: bool = False
    is_verified: bool = True
    #: what one can do with it
    purpose: str


LOGINS = (
    Login(
        role="Admin",
        email="admin@example.org",
        name="Robin Adeyemi",
        password="demo-admin",  # noqa: S106
        is_superuser=True,
        purpose="everything, the periodic tasks too",
    ),
    Login(
        role="Editor",
        email="editor@example.org",
        name="Edda Lindqvist",
        password="demo-editor",  # noqa: S106
        groups=("Editors",),
        purpose="writes posts and campaigns",
    ),
    Login(
        role="Moderator",
        email="moderator@example.org",
        name="Marek Dvořák",
        password="demo-moderator",  # noqa: S106
        groups=("Moderators",),
        purpose="publishes them",
    ),
    Login(
        role="Author",
        email="amara.okafor@example.org",
        name="Amara Okafor",
        password="demo-author",  # noqa: S106
        purpose="gets a digest of their views",
    ),
    Login(
        role="Owner",
        email="owner@example.org",
        name="Olivia Marchetti",
        password="demo-owner",  # noqa: S106
        groups=("Owners",),
        purpose="gets the monthly report",
    ),
    Login(
        role="Member",
        email="member@example.org",
        name="Milo Santos",
        password="demo-member",  # noqa: S106
        is_verified=False,
        purpose="has not verified the address yet",
    ),
)

#: What `make demo` prints: role, address, password.
DEMO_LOGINS = tuple((login.role, login.email, login.password) for login in LOGINS)
