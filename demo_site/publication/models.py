from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Prefetch, Q, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel
from wagtail.fields import RichTextField
from wagtail.images.models import Image
from wagtail.models import Orderable, Page, PageManager
from wagtail.query import PageQuerySet
from wagtail.search import index

from wagtail_lifecycle.models import DailyPageViews

if TYPE_CHECKING:
    from demo_site.accounts.models import User

POSTS_PER_PAGE = 13
MORE_POSTS = 3
#: The source of views that no real reader had.
SAMPLE_SOURCE = "sample"
CARD_RENDITION = "fill-960x600"
BODY_FEATURES = [
    *("h2", "h3", "h4", "bold", "italic", "ol", "ul", "hr", "link", "document-link"),
    *("image", "embed", "blockquote", "code"),
]


class HomePage(Page):
    """The front page: the latest posts."""

    tagline = models.CharField(_("tagline"), max_length=200, blank=True)

    max_count = 1
    subpage_types = ["publication.AuthorIndexPage", "publication.PostPage"]
    content_panels = [*Page.content_panels, FieldPanel("tagline")]

    class Meta:
        verbose_name = _("home page")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, object]:
        posts = Paginator(PostPage.objects.latest_first(), POSTS_PER_PAGE)
        context = super().get_context(request, *args, **kwargs)
        return context | {"posts": posts.get_page(request.GET.get("page"))}


class AuthorIndexPage(Page):
    """All authors; the page of each is below it."""

    max_count = 1
    parent_page_types = ["publication.HomePage"]
    subpage_types = ["publication.AuthorPage"]

    class Meta:
        verbose_name = _("authors' index")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, object]:
        authors = AuthorPage.objects.child_of(self).live().order_by("title")
        return super().get_context(request, *args, **kwargs) | {"authors": authors}


class AuthorPage(Page):
    """Who an author is and what they wrote."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="author_page",
    )
    biography = models.TextField(_("biography"), blank=True)

    parent_page_types = ["publication.AuthorIndexPage"]
    subpage_types: list[str] = []
    content_panels = [*Page.content_panels, FieldPanel("user"), FieldPanel("biography")]
    search_fields = [*Page.search_fields, index.SearchField("biography"), index.FilterField("user")]

    class Meta:
        verbose_name = _("author page")

    @property
    def monogram(self) -> str:
        words = self.title.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, object]:
        posts = PostPage.objects.none()
        if self.user_id:
            posts = PostPage.objects.latest_first().filter(post_authors__user=self.user_id)
        return super().get_context(request, *args, **kwargs) | {"posts": posts}


class PostTag(TaggedItemBase):
    content_object = ParentalKey("PostPage", on_delete=models.CASCADE, related_name="tagged_items")


class PostPageQuerySet(PageQuerySet):
    def latest_first(self) -> "PostPageQuerySet":
        """The live posts with all that a list of them shows."""
        return (
            self.live()
            .order_by("-date", "-pk")
            .prefetch_related(
                Prefetch("picture", queryset=Image.objects.prefetch_renditions(CARD_RENDITION)),
                Prefetch("post_authors", queryset=PostAuthor.objects.select_related("user")),
            )
        )


class PostPage(Page):
    """A post: who wrote it, a picture, the text."""

    date = models.DateField(_("date"))
    intro = models.TextField(_("introduction"), blank=True, help_text=_("One or two sentences."))
    body = RichTextField(_("text"), blank=True, features=BODY_FEATURES)
    picture = models.ForeignKey(
        "wagtailimages.Image",
        verbose_name=_("picture"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    tags = ClusterTaggableManager(through=PostTag, blank=True, verbose_name=_("tags"))
    source_path = models.CharField(_("path in the imported publication"), max_length=255, blank=True, editable=False)

    objects = PageManager.from_queryset(PostPageQuerySet)()

    parent_page_types = ["publication.HomePage"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldPanel("date"),
        InlinePanel("post_authors", heading=_("Authors"), label=_("Author"), min_num=1),
        FieldPanel("intro"),
        FieldPanel("picture"),
        FieldPanel("body"),
    ]
    promote_panels = [*Page.promote_panels, MultiFieldPanel([FieldPanel("tags")], heading=_("Tags"))]
    search_fields = [
        *Page.search_fields,
        index.SearchField("intro"),
        index.SearchField("body"),
        index.FilterField("date"),
    ]

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")

    @property
    def authors(self) -> Sequence["User"]:
        return [link.user for link in self.post_authors.all()]

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, object]:
        return super().get_context(request, *args, **kwargs) | {
            **self.counted_views(),
            "own_views_are_left_out": request.user.has_perm("wagtailadmin.access_admin"),
            "tags": self.tags.all(),
            "more_posts": PostPage.objects.latest_first().exclude(pk=self.pk)[:MORE_POSTS],
        }

    def counted_views(self) -> dict[str, int]:
        samples = Q(source=SAMPLE_SOURCE)
        return DailyPageViews.objects.filter(page=self.pk).aggregate(
            views=Sum("count", default=0), sample_views=Sum("count", filter=samples, default=0)
        )


class PostAuthor(Orderable):
    """One author of a post; the order is that of the names under the title."""

    post = ParentalKey(PostPage, on_delete=models.CASCADE, related_name="post_authors")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.CASCADE,
        related_name="post_authors",
    )

    panels = [FieldPanel("user")]

    class Meta(Orderable.Meta):
        constraints = [models.UniqueConstraint("post", "user", name="publication_author_once_per_post")]

    def __str__(self) -> str:
        return str(self.user)
