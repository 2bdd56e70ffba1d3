"""As much of a browser as the admin's forms need."""

import http.client
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from bs4 import BeautifulSoup, Tag

#: Views by scripts are not counted; this is what a person's browser says.
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


class Refused(Exception):
    """A page did not do what was asked; the message says which and why."""


class Browser:
    """Follows links, fills in forms, keeps cookies."""

    def __init__(self, site: str) -> None:
        self.site, self.url, self.page = site, site, BeautifulSoup("", "html.parser")
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open

    def get(self, path: str) -> BeautifulSoup:
        return self._load(path)

    def submit(self, fields: dict[str, str], *, containing: str) -> BeautifulSoup:
        """Send the form that has the named field, with what the page filled in and with `fields`."""
        form = self._form(containing)
        values = _values(form) | fields
        return self._load(str(form.get("action") or self.url), urllib.parse.urlencode(values).encode())

    def _form(self, containing: str) -> Tag:
        field = self.page.find(attrs={"name": containing})
        form = field.find_parent("form") if field else None
        if form is None:
            raise Refused(f"{self.url} has no form with a field named {containing!r}.")
        return form

    def _load(self, target: str, body: bytes | None = None) -> BeautifulSoup:
        url = urllib.parse.urljoin(self.url, target)
        # Django checks where a form comes from; a browser always says so.
        headers = {"User-Agent": FIREFOX, "Referer": self.url}
        request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - the demo's own pages
        try:
            with self._open(request, timeout=30) as response:
                self._take(response)
        except urllib.error.HTTPError as error:
            with error:
                title = BeautifulSoup(error.read(), "html.parser").title
            raise Refused(f"{request.full_url} answered {error.code} {title.string if title else ''}") from error
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
            raise Refused(f"{request.full_url} did not answer: {error}") from error
        return self.page

    def _take(self, response: http.client.HTTPResponse) -> None:
        self.url = response.geturl()
        self.page = BeautifulSoup(response.read(), "html.parser")


def _values(form: Tag) -> dict[str, str]:
    """What the browser would send if nobody touched the form; buttons are not pressed."""
    values: dict[str, str] = {}
    for field in form.find_all(["input", "textarea", "select"], attrs={"name": True}):
        value = _value(field)
        if value is not None:
            values[str(field["name"])] = value
    return values


def _value(field: Tag) -> str | None:
    kind = field.get("type")
    if field.name == "textarea":
        return field.get_text().removeprefix("\n")
    if field.name == "select":
        options = field.find_all("option")
        chosen = [option for option in options if option.has_attr("selected")] or options[:1]
        return str(chosen[-1].get("value", "")) if chosen else None
    if kind in {"submit", "button", "image", "file", "reset"}:
        return None
    if kind in {"checkbox", "radio"}:
        return str(field.get("value", "on")) if field.has_attr("checked") else None
    return str(field.get("value", ""))
