"""The public pages: `path("lifecycle/", include("wagtail_lifecycle.urls"))`."""

from django.urls import path

from wagtail_lifecycle.views.unsubscribe import UnsubscribeView
from wagtail_lifecycle.views.verify import VerifyAgainView, VerifyView

app_name = "wagtail_lifecycle"

urlpatterns = [
    path("unsubscribe/<str:token>/", UnsubscribeView.as_view(), name="unsubscribe"),
    path("verify/", VerifyAgainView.as_view(), name="verify_again"),
    path("verify/<str:token>/", VerifyView.as_view(), name="verify"),
]
