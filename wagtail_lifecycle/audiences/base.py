"""What an audience is, whatever it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import IntegerField, UUIDField

from wagtail_lifecycle import registry
from wagtail_lifecycle.exceptions import UnknownName
from wagtail_lifecycle.names import clean_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from django.db.models import Expression, Model, QuerySet
    from django.utils.functional import Promise


#: Places of an audience that a sample is taken from, each with a query.
SPOTS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """One person as a frozen value: all that a mail to them needs, and nothing that can query."""

    #: kind and primary key, "user:12"; stable, so that the person is found again when the mail is due
    key: str
    #: e-mail address as the person wrote it; not normalised, and possibly not valid
    address: str
    #: full name as shown to people; "" where it is not known, and where it holds a link
    name: str = ""
    #: language code such as "de" or "pt-br"; "" means the site's default
    language: str = ""
    #: IANA time zone such as "Europe/Berlin"; "" means the site's own
    time_zone: str = ""
    #: plain data for merge tags, named by the audience: strings, numbers, dates, lists and dicts of them
    data: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name))

    @property
    def first_name(self) -> str:
        """The first word of the name; "" where there is no name. A name without spaces is taken whole."""
        return next(iter(self.name.split()), "")


class AudiencePage(NamedTuple):
    """Some recipients of an audience, and where to go on after them."""

    #: primary key (or key) of the last of them: the `after` of the next page
    cursor: str
    recipients: list[Recipient]


class Audience(ABC):
    """A named query of people. Subclass it, give it a name and register it with `@register_audience`."""

    #: how campaigns remember it; data, so it never changes
    name: ClassVar[str]
    #: what editors choose
    label: ClassVar[str | Promise]
    #: one sentence for editors: who is in it, and who is left out
    description: ClassVar[str | Promise] = ""
    #: what editors may merge into a mail to it, each with an example: {"recipient.first_name": "Ana"}
    merge_tags: ClassVar[Mapping[str, str | Promise]] = {}
    #: the part of a recipient's key before the colon
    key_prefix: ClassVar[str] = "user"

    def __init__(self, option: str = "") -> None:
        #: what stands after the colon in "group_members:3"; "" for audiences without variants
        self.option = option

    @abstractmethod
    def get_queryset(self, now: datetime) -> QuerySet[Any]:
        """Return those who belong at `now`, ordered by primary key."""

    @abstractmethod
    def get_recipient(self, obj: Any) -> Recipient:
        """Return one object of the queryset as a recipient; `self.key_of(obj)` is its key."""

    def get_recipients(self, objs: Sequence[Any]) -> list[Recipient]:
        """Return many objects as recipients. Override it to load what they share in one query."""
        return [self.get_recipient(obj) for obj in objs]

    @classmethod
    def variants(cls) -> list[tuple[str, str | Promise]]:
        """Return (name, label) of what editors can choose; one per option, where there are options."""
        return [(cls.name, cls.label)]

    @classmethod
    def from_name(cls, name: str) -> Self:
        """Return the audience that a campaign remembers as `name`. Raises UnknownName."""
        if name != cls.name:
            raise UnknownName(f"The audience {cls.name!r} has no variants, so {name!r} does not exist.")
        return cls()

    def problem(self) -> str:
        """Return a sentence where the audience cannot be used any more (its group is gone), else ""."""
        return ""

    def key_of(self, obj: Model) -> str:
        """Return the stable key of an object of the queryset."""
        return f"{self.key_prefix}:{obj.pk}"

    def pages(self, now: datetime, after: str = "", size: int = 500) -> Iterator[AudiencePage]:
        """Iterate over everybody in pages of at most `size`, in order, going on after the cursor `after`.

        One query per page and no OFFSET; people who come or go meanwhile shift nobody.
        """
        people = self.get_queryset(now).order_by("pk")
        while objs := list((people.filter(pk__gt=after) if after else people)[:size]):
            after = str(objs[-1].pk)
            yield AudiencePage(after, self.get_recipients(objs))

    def by_key(self, keys: Iterable[str], now: datetime) -> dict[str, Recipient]:
        """Return those of `keys` who still belong at `now`, read afresh, in a constant number of queries."""
        people = self.get_queryset(now)
        pks = list(pks_of(keys, self.key_prefix, people.model))
        members = self.get_recipients(list(people.filter(pk__in=pks))) if pks else []
        return {member.key: member for member in members}

    def count(self, now: datetime) -> int:
        """Return how many people belong at `now`."""
        return self.get_queryset(now).count()

    def search(self, people: QuerySet[Any], text: str) -> QuerySet[Any] | None:  # noqa: ARG002 - the interface
        """Return those of `people` whose name or address contains `text`, for the preview of a mail as a person.

        None where the database cannot tell; then the first pages of the audience are read and compared.
        """
        return None

    def name_length(self) -> Expression | None:
        """Return what the database measures names by, so that samples have the longest; None where it cannot."""
        return None

    def cursor_of(self, key: str, now: datetime) -> str:
        """Return the cursor with which `pages` goes on after the person with this key; "" for nobody's key."""
        return str(next(pks_of([key], self.key_prefix, self.get_queryset(now).model), ""))

    def some(self, now: datetime, size: int, chance: Random) -> list[Recipient]:
        """Return at most `size` people from all over the audience, in few queries however many belong."""
        first = self._page(now, "", size)
        if len(first) < size:
            return first
        people = self.get_queryset(now).order_by("pk")
        spots = [self._page(now, spot, 2 * size // SPOTS + 1) for spot in _spots(people, chance)]
        found = {member.key: member for page in spots or [first] for member in page}
        return chance.sample(list(found.values()), min(size, len(found)))

    def _page(self, now: datetime, after: str, size: int) -> list[Recipient]:
        return next((page.recipients for page in self.pages(now, after, size)), [])


def _spots(people: QuerySet[Any], chance: Random) -> list[str]:
    """Return cursors at random; none where primary keys are no numbers. A random order would read the whole table."""
    field = people.model._meta.pk
    if isinstance(field, UUIDField):
        return [str(UUID(int=chance.getrandbits(128))) for _spot in range(SPOTS)]
    if not isinstance(field, IntegerField):
        return []
    pks = people.values_list("pk", flat=True)
    first, last = pks.first() or 0, pks.last() or 0
    return [str(chance.randint(first - 1, last - 1)) for _spot in range(SPOTS)]


def pks_of(keys: Iterable[str], prefix: str, model: type[Model]) -> Iterator[Any]:
    """Return the primary keys in keys such as "user:12"; others' keys and nonsense are left out."""
    for key in keys:
        kind, _colon, pk = key.partition(":")
        if kind == prefix:
            try:
                value = model._meta.pk.to_python(pk)
                # Databases refuse to compare with a number that is larger than any of theirs.
                model._meta.pk.run_validators(value)
                yield value
            except ValidationError:
                continue


def get_audience(name: str) -> Audience:
    """Return the audience a campaign remembers as `name`, also with an option: "group_members:3".

    Raises UnknownName, which lists the known ones.
    """
    cls: type[Audience] = registry.audiences.get(name.partition(":")[0])
    return cls.from_name(name)


def audience_choices() -> list[tuple[str, str | Promise]]:
    """Return (name, label) of every audience, variants expanded. Reads the database, so call it late."""
    classes: Iterable[type[Audience]] = registry.audiences
    return [choice for cls in classes for choice in cls.variants()]
