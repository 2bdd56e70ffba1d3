"""Programs of others that judge mails: SpamAssassin, the reference renderer of MJML, axe."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

HERE = Path(__file__).parent
MODULES = Path(os.environ.get("MAILCHECK_NODE_MODULES", HERE.parents[1] / ".mailcheck" / "node_modules"))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SCORE = re.compile(rb"^X-Spam-Status: \w+, score=(-?[\d.]+) .*?tests=(.*?) autolearn", re.MULTILINE | re.DOTALL)


def missing() -> str:
    """Say what is not installed; empty where everything is."""
    programs = [name for name in ("spamassassin", "node") if shutil.which(name) is None]
    packages = [name for name in ("mjml", "axe-core") if not (MODULES / name).is_dir()]
    return ", ".join([*programs, *(f"{name} (npm install --prefix {MODULES.parent} {name})" for name in packages)])


def spam_scores(messages: list[bytes]) -> list[tuple[float, str]]:
    """Return SpamAssassin's score of each message, and the names of the rules, without any question to the network."""
    box = b"".join(b"From news@example.org Fri Nov 20 08:00:00 2026\n" + _quoted(message) for message in messages)
    done = subprocess.run(["spamassassin", "-L", "-t", "-x", "--mbox"], input=box, capture_output=True, check=True)
    found = [(float(score), b"".join(rules.split()).decode()) for score, rules in SCORE.findall(done.stdout)]
    assert len(found) == len(messages), done.stderr.decode()[-2000:]
    return found


def _quoted(message: bytes) -> bytes:
    # A line of an mbox that begins like the next message.
    lines = message.replace(b"\r\n", b"\n")
    return re.sub(rb"^(>*From )", rb">\1", lines, flags=re.MULTILINE) + b"\n\n"


def reference_pages(sources: list[str]) -> list[str]:
    """Return what the reference renderer makes of the MJML sources."""
    environment = {**os.environ, "NODE_PATH": str(MODULES)}
    command = ["node", str(HERE / "reference.js")]
    done = subprocess.run(command, input=json.dumps(sources).encode(), capture_output=True, check=True, env=environment)
    pages: list[str] = json.loads(done.stdout)
    return pages


def visible_text(html: str) -> str:
    """Return the words of a page that people see, white space aside."""
    soup = BeautifulSoup(html, "html.parser")
    for hidden in soup.select("head, style, script"):
        hidden.decompose()
    return " ".join(soup.get_text(" ").split())


def axe_violations(page: Any, html: str) -> list[str]:
    """Return what axe finds wrong by WCAG 2.2 AA with a mail in an open page of Chromium.

    Its other rules are about whole pages: a mail has no landmarks, because the mail program has them.
    """
    page.set_content(html)
    page.add_script_tag(path=str(MODULES / "axe-core" / "axe.min.js"))
    found = page.evaluate("async tags => (await axe.run(document, {runOnly: tags})).violations", TAGS)
    return [f"{each['id']}: {each['help']} ({each['nodes'][0]['html'][:150]})" for each in found]
