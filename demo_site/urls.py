from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.admin.auth import require_admin_access
from wagtail.documents import urls as wagtaildocs_urls

from demo_site.accounts.views import PublisherAccountView

urlpatterns = [
    path("django-admin/", admin.site.urls),
    path("admin/account/", require_admin_access(PublisherAccountView.as_view())),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("lifecycle/", include("wagtail_lifecycle.urls")),
    path("accounts/", include("demo_site.accounts.urls")),
]

if settings.SERVE_MEDIA:
    media = rf"^{settings.MEDIA_URL.strip('/')}/(?P<path>.+)$"
    urlpatterns.append(re_path(media, serve, {"document_root": settings.MEDIA_ROOT}))

urlpatterns.append(path("", include(wagtail_urls)))
