"""A stranger's way in: the blocks of the how-to, in an empty project made by `wagtail start`."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from demo_site.supervisor.children import Service
from demo_site.supervisor.pack import Pack
from tests.support.embedded import free_port
from tests.support.howto import DOCS, edit_files, ordered

PAGE = "howto/install.md"
#: seconds: a campaign that goes "now" goes within a minute, and beat looks every five seconds
PATIENCE = 120
READY = {
    "worker": re.compile(r"celery@\S+ ready"),
    "beat": re.compile(r"beat: Starting"),
    "runserver": re.compile(r"Quit the server"),
}


@pytest.fixture
def environment() -> dict[str, str]:
    """The stranger's: our tools are on the path, our settings are not."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "LIFECYCLE_"))}
    tools = Path(sys.executable).parent
    return own | {
        "PATH": os.pathsep.join([str(tools), own["PATH"]]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "default",
    }


@pytest.fixture
def project(tmp_path, environment, monkeypatch) -> Path:
    """An empty project, edited as the how-to says; the working directory."""
    run(["wagtail", "start", "mysite"], environment, cwd=tmp_path)
    folder = tmp_path / "mysite"
    edit_files(PAGE, folder)
    monkeypatch.chdir(folder)
    return folder


def run(command: list[str], environment: dict[str, str], *, cwd: Path, text: str = "") -> str:
    done = subprocess.run(
        [shutil.which(command[0], path=environment["PATH"]), *command[1:]],
        cwd=cwd, env=environment, input=text, text=True, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def run_all(page: str, environment: dict[str, str], *, cwd: Path) -> str:
    """Run the blocks that the page marks so; return what they said."""
    commands = [command for block in ordered(page, "run") for command in block.commands]
    return "".join(run(command, environment, cwd=cwd) for command in commands)


def test_an_empty_project_that_follows_the_how_to_has_nothing_to_complain_of(project, environment):
    said = run_all(PAGE, environment, cwd=project)
    assert "System check identified no issues (0 silenced)" in said
    assert "wagtail_lifecycle.0001" in said
    missing = run(["python", "manage.py", "makemigrations", "--check", "--dry-run"], environment, cwd=project)
    assert "No changes detected" in missing


def test_without_its_settings_the_checks_name_what_is_missing(tmp_path, environment):
    run(["wagtail", "start", "mysite"], environment, cwd=tmp_path)
    folder = tmp_path / "mysite"
    with (folder / "mysite" / "settings" / "base.py").open("a") as settings:
        settings.write('\nINSTALLED_APPS += ["wagtail_lifecycle", "django_celery_beat"]\n')
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=folder, env=environment, text=True, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    found = set(re.findall(r"wagtail_lifecycle\.([EWI]\d{3})", done.stderr))
    assert found == {"E001", "E006", "W004", "W006", "W007", "W013"}


@pytest.mark.services
@pytest.mark.redis
@pytest.mark.timeout(300)
def test_the_first_mail_arrives(project, environment, broker_url, smtp_sink):
    environment |= {
        "CELERY_BROKER_URL": broker_url,
        "EMAIL_HOST": smtp_sink.host,
        "EMAIL_PORT": str(smtp_sink.port),
        "DJANGO_SUPERUSER_USERNAME": "ana",
        "DJANGO_SUPERUSER_EMAIL": "ana@example.org",
        "DJANGO_SUPERUSER_PASSWORD": "a-password-of-Ana",
    }
    run_all(PAGE, environment, cwd=project)
    run(["python", "manage.py", "createsuperuser", "--noinput"], environment, cwd=project)
    mails, page = asyncio.run(send_and_unsubscribe(project, environment, smtp_sink))
    [arrived] = mails
    mail = message_from_bytes(arrived.raw, policy=default)
    assert arrived.recipients == ("ana@example.org",)
    assert mail["Subject"] == "Hello friend"
    assert mail["From"] == "My Site <news@example.org>"
    for part in ("plain", "html"):
        assert "This mail was written in Wagtail." in mail.get_body([part]).get_content()
    assert "<form" in page


async def send_and_unsubscribe(project: Path, environment: dict[str, str], sink) -> tuple[list, str]:
    """Start what the how-to starts, write the campaign, wait for its mail, open its link."""
    port, [campaign] = free_port(), ordered(PAGE, "shell")
    async with Pack(logs=project / "logs", environment=environment, show=lambda _name, _line: None) as pack:
        await pack.start_all(*services(environment, port))
        await asyncio.to_thread(run, ["python", "manage.py", "shell"], environment, cwd=project, text=campaign.text)
        mails = await asyncio.to_thread(sink.store.after, 0, wait=PATIENCE)
        assert mails, "\n".join(child.failure("sent nothing").args[0] for child in pack.children)
        return mails, await asyncio.to_thread(open_unsubscribe_link, mails[0].raw, port)


def services(environment: dict[str, str], port: int) -> list[Service]:
    """What the how-to starts, each in a terminal of its own."""
    found = []
    for [command] in (block.commands for block in ordered(PAGE, "start")):
        [name] = [name for name in READY if name in command]
        program = shutil.which(command[0], path=environment["PATH"])
        # Another port than everybody's, and no child process that restarts the server.
        more = (str(port), "--noreload") if name == "runserver" else ()
        found.append(Service(name=name, command=(program, *command[1:], *more), ready=READY[name]))
    return found


def open_unsubscribe_link(raw: bytes, port: int) -> str:
    link = message_from_bytes(raw, policy=default)["List-Unsubscribe"].strip("<>")
    with urllib.request.urlopen(urlsplit(link)._replace(netloc=f"localhost:{port}").geturl()) as response:
        return response.read().decode()


# -- Pages that name what exists ---------------------------------------------------------------------------


def test_every_dependency_has_its_reason():
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["project"]
    names = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    table = (DOCS / "explanation" / "dependencies.md").read_text().partition("## Extras")
    assert set(re.findall(r"^\| `([\w-]+)` \|", table[0], re.MULTILINE)) == names
    extras = set(re.findall(r"^\| `([\w-]+)` \|", table[2], re.MULTILINE))
    assert extras == set(project["optional-dependencies"])


@pytest.mark.parametrize(
    "page", ["howto/install.md", "howto/extend.md", "reference/settings.md", "reference/checks.md",
             "reference/registry.md", "explanation/dependencies.md"],
)  # fmt: skip
def test_links_between_pages_lead_somewhere(page):
    path = DOCS / page
    for target in re.findall(r"\]\((?!https?:)([^)#]+)?(?:#([\w-]+))?\)", path.read_text()):
        file, anchor = target
        linked = (path.parent / file).resolve() if file else path
        assert linked.is_file(), file
        assert not anchor or anchor in anchors(linked), target


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
