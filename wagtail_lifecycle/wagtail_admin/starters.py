"""The gallery of starters: "New campaign" leads here, and from here to the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.generic import TemplateView, View
from wagtail.actions.create import CreateAction
from wagtail.admin.utils import set_query_params
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.models import Locale

from wagtail_lifecycle import registry, rendering
from wagtail_lifecycle.exceptions import CompileError
from wagtail_lifecycle.models import Campaign
from wagtail_lifecycle.rendering.preview import preview_mail
from wagtail_lifecycle.wagtail_admin.access_sites import site_for_new

if TYPE_CHECKING:
    from django.http import HttpRequest

    from wagtail_lifecycle.rendering import Content
    from wagtail_lifecycle.starters import Draft, Starter

#: How long a browser keeps the picture of a starter.
PICTURE_SECONDS = 300


class StarterView(PermissionCheckedMixin, View):
    """What the views of the gallery share: the language of the new campaign, and the starter of the address.

    Without a language in the address, it is that of the person, where the site has it.
    """

    model = Campaign
    permission_required = "add"

    @cached_property
    def locale(self) -> Locale:
        code = self.request.GET.get("locale", "")
        return get_object_or_404(Locale, language_code=code) if code else Locale.get_active()

    @cached_property
    def starter(self) -> Starter:
        name = self.kwargs["starter"]
        if name not in registry.starters:
            raise Http404
        starter: Starter = registry.starters.get(name)()
        return starter

    def draft(self) -> Draft:
        """Return the starter's draft, whose words are in the language that was asked for, else in the person's."""
        asked = self.locale.language_code if self.request.GET.get("locale") else ""
        with translation.override(asked or translation.get_language()):
            return self.starter.draft(self.locale)

    def url(self, name: str, *args: Any) -> str:
        url = reverse(Campaign.snippet_viewset.get_url_name(name), args=args)
        return str(
            set_query_params(url, {"locale": self.locale.language_code}) if "locale" in self.request.GET else url
        )


class GalleryView(StarterView, WagtailAdminTemplateMixin, TemplateView):
    template_name = "wagtail_lifecycle/admin/starters.html"
    page_title = _("New campaign")
    header_icon = "mail"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        url = reverse(Campaign.snippet_viewset.get_url_name("list"))
        campaigns = {"url": url, "label": gettext("Campaigns")}
        return [*self.breadcrumbs_items, campaigns, {"url": "", "label": gettext("New campaign")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        starters = [starter for starter in (cls() for cls in registry.starters) if starter.is_available()]
        return context | {
            "starters": [
                {
                    "starter": starter,
                    "begin_url": self.url("begin", starter.name),
                    "picture_url": self.url("starter_picture", starter.name),
                }
                for starter in starters
            ],
            "blank_url": self.url("add"),
        }


class BeginView(StarterView):
    """Makes a draft of a starter and opens it in the editor."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, starter: str) -> HttpResponse:  # noqa: ARG002 - `self.starter`
        draft = self.draft()
        draft.campaign.site = site_for_new(request.user)
        # A draft may be incomplete: publishing says what is missing.
        CreateAction(draft.campaign, user=request.user, clean=False).execute()
        for sentence in draft.to_do:
            messages.info(request, str(sentence))
        return redirect(Campaign.snippet_viewset.get_url_name("edit"), draft.campaign.pk)


@method_decorator(xframe_options_sameorigin, name="dispatch")
class PictureView(StarterView):
    """Shows the mail of a starter, with example data, in a frame of the gallery."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, starter: str) -> HttpResponse:  # noqa: ARG002 - `self.starter`
        response = HttpResponse(_picture(self.draft().campaign.content))
        response.headers["Content-Security-Policy"] = rendering.PREVIEW_POLICY
        response.headers["Cache-Control"] = f"private, max-age={PICTURE_SECONDS}"
        # How django-csp is told to keep out.
        setattr(response, "_csp_exempt", True)  # noqa: B010 - not an attribute the type knows
        return response


def _picture(content: Content) -> str:
    try:
        return preview_mail(content).html
    except CompileError:
        # Says in a sentence why there is none.
        return rendering.preview(content, mode="html")
