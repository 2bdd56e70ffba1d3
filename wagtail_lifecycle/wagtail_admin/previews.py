"""The preview of a campaign: its panel in the editor, and the pages that show the mail as somebody would get it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.generic import View
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.side_panels import PreviewSidePanel
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.snippets.views.snippets import (
    CreateView,
    EditView,
    PreviewOnCreateView,
    PreviewOnEditView,
    PreviewRevisionView,
)

from wagtail_lifecycle import rendering, samples
from wagtail_lifecycle.exceptions import LifecycleError
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.wagtail_admin import preview_readers
from wagtail_lifecycle.wagtail_admin.buttons import test_buttons
from wagtail_lifecycle.wagtail_admin.preview_readers import Choice, may_see_people

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from wagtail.admin.widgets import Button

    from wagtail_lifecycle.audiences import Recipient

READER: Final = "wagtail_lifecycle/admin/preview_reader.html"
PEOPLE: Final = "wagtail_lifecycle/admin/preview_people.html"

logger = logging.getLogger(__name__)


def url_of(name: str, campaign: Campaign) -> str:
    return reverse(Campaign.snippet_viewset.get_url_name(name), args=[campaign.pk])


# -- The panel of the editor ---------------------------------------------------------------------------------


class CampaignPreviewPanel(PreviewSidePanel):
    """Wagtail's own, and whose mail in which language it shows."""

    template_name = "wagtail_lifecycle/admin/preview_panel.html"

    class Media:
        js = [versioned_static("wagtail_lifecycle/js/admin-preview.js")]
        css = {"all": [versioned_static("wagtail_lifecycle/css/preview.css")]}

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        campaign = self.object
        if not campaign.pk:
            return context
        return {
            **context,
            "reader_url": url_of("preview_reader", campaign),
            "people_url": url_of("preview_people", campaign),
            "languages": languages_of(campaign),
            "test_buttons": list(test_buttons(campaign, self.request.user)),
            **reader_context(campaign, self.request),
        }


class PreviewPanelMixin:
    """For the views of the editor."""

    def get_side_panels(self) -> Any:
        panels = super().get_side_panels()  # type: ignore[misc]  # the views of Wagtail have it
        for position, panel in enumerate(panels):
            if type(panel) is PreviewSidePanel:
                panels[position] = CampaignPreviewPanel(panel.object, panel.request, preview_url=panel.preview_url)
        return panels


class CampaignCreateView(PreviewPanelMixin, CreateView):
    pass


class CampaignEditView(PreviewPanelMixin, EditView):
    @property
    def header_more_buttons(self) -> list[Button]:
        return [*super().header_more_buttons, *test_buttons(self.object, self.request.user)]


def languages_of(campaign: Campaign) -> list[tuple[str, str]]:
    """Return (code, name) of the languages the campaign is written in; nothing where it is one."""
    rows = Campaign.objects.filter(translation_key=campaign.translation_key).select_related("locale").order_by("pk")
    locales = [row.locale for row in rows.defer("body")]
    return [(locale.language_code, str(locale)) for locale in locales] if len(locales) > 1 else []


def reader_context(campaign: Campaign, request: HttpRequest, problem: str = "") -> dict[str, Any]:
    """Return what the panel says about whose mail is shown."""
    allowed = may_see_people(request.user, campaign)
    choice = choice_of(campaign, request)
    readers = {**preview_readers.INVENTED, **(preview_readers.REAL if allowed else {})}
    return {
        "readers": list(readers.items()),
        "choice": choice,
        "person": _person_of(campaign, choice),
        "problem": problem,
        "may_see_people": allowed,
    }


def choice_of(campaign: Campaign, request: HttpRequest) -> Choice:
    """Return whose mail is to be shown; an example's to who has chosen when they were still allowed to."""
    choice = Choice.of(request.session, campaign)
    return Choice() if choice.key and not may_see_people(request.user, campaign) else choice


def _person_of(campaign: Campaign, choice: Choice) -> Recipient | None:
    try:
        return preview_readers.reader(campaign, choice, timezone.now())
    except LifecycleError:
        return None


def person_shown(campaign: Campaign, request: HttpRequest) -> Recipient | None:
    """Return the real person whose mail the preview shows; None for an example's."""
    return _person_of(campaign, choice_of(campaign, request))


# -- What the panel shows ------------------------------------------------------------------------------------


class ShowingMixin:
    """For the views that show a mail: as whom, and in which language."""

    request: Any
    #: the attribute that holds the campaign, with what is not saved yet
    shown = "object"

    def get_extra_request_attrs(self) -> dict[str, Any]:
        inherited: dict[str, Any] = getattr(super(), "get_extra_request_attrs", dict)()
        return {**inherited, "lifecycle_preview": self.show}

    def show(self, mode: str) -> str:
        """Return the page of the preview."""
        campaign = in_language(getattr(self, self.shown), self.request.GET.get("language", ""))
        content = samples.content_of(campaign)
        read = preview_readers.read_as(campaign, content, choice_of(campaign, self.request), timezone.now())
        return rendering.preview(content, mode=mode, read=read)


def in_language(campaign: Campaign, code: str) -> Campaign:
    """Return the campaign or its translation in this language, as it was last saved."""
    if not code or (campaign.locale_id and campaign.locale.language_code == code):
        return campaign
    rows = Campaign.objects.filter(translation_key=campaign.translation_key, locale__language_code=code)
    translation = rows.select_related("latest_revision").first()
    return translation.get_latest_revision_as_object() if translation else campaign


class CampaignPreviewOnCreateView(ShowingMixin, PreviewOnCreateView):
    pass


class CampaignPreviewOnEditView(ShowingMixin, PreviewOnEditView):
    pass


class CampaignPreviewRevisionView(ShowingMixin, PreviewRevisionView):
    shown = "revision_object"

    # Wagtail gives the request for a version no attributes.
    def get(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        version: Campaign = self.revision_object
        mode = request.GET.get("mode", version.default_preview_mode)
        response: HttpResponse = version.make_preview_request(request, mode, self.get_extra_request_attrs())
        return response


# -- Choosing a reader ---------------------------------------------------------------------------------------


class CampaignPreviewView(PermissionCheckedMixin, View):
    """For those who may edit the campaign."""

    model = Campaign
    #: whether it is about real people
    shows_people = False

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        saved: Campaign = get_object_or_404(Campaign.objects.select_related("latest_revision"), pk=kwargs["pk"])
        if not self.user_has_permission_for_instance("change", saved):
            raise PermissionDenied
        if self.shows_people and not may_see_people(request.user, saved):
            raise PermissionDenied
        #: with what is not published yet
        self.campaign: Campaign = saved.get_latest_revision_as_object()


class ReaderView(CampaignPreviewView):
    """Remembers whose mail is to be shown, and answers with what the panel says about them."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        wish = request.POST.get("reader", preview_readers.EXAMPLE)
        if wish not in preview_readers.INVENTED and not may_see_people(request.user, self.campaign):
            raise PermissionDenied
        problem = self._remember(wish)
        return render(request, READER, reader_context(self.campaign, request, problem))

    def _remember(self, wish: str) -> str:
        """Keep the choice, or return a sentence that says why it cannot be."""
        request, before = self.request, Choice.of(self.request.session, self.campaign)
        try:
            choice = preview_readers.choose(self.campaign, wish, before, timezone.now())
        except LifecycleError as error:
            return str(error)
        # Data sources and blocks are the site's own code, and may raise anything.
        except Exception:
            logger.exception("no reader found", extra={"action": "preview", "campaign_id": self.campaign.pk})
            return gettext("The mails of this audience cannot be made. The site's log says why.")
        if choice is None:
            return gettext("Nobody like that is in the audience.")
        choice.remember(request.session, self.campaign)
        preview_readers.log_choice(self.campaign, choice, request.user)
        return ""


class PeopleView(CampaignPreviewView):
    """Answers with people of the audience whose name or address has what was typed."""

    http_method_names = ["get"]
    shows_people = True

    def get(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        text = request.GET.get("q", "").strip()
        return render(request, PEOPLE, {"text": text, **self._found(text)})

    def _found(self, text: str) -> dict[str, Any]:
        try:
            return {"people": samples.find(self.campaign, text, timezone.now())}
        except LifecycleError as error:
            return {"problem": str(error)}
        # As above.
        except Exception:
            logger.exception("search failed", extra={"action": "preview", "campaign_id": self.campaign.pk})
            return {"problem": gettext("This audience cannot be read. The site's log says why.")}
