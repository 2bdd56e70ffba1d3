import django.core.validators
import django.db.models.deletion
import wagtail.fields
import wagtail.models.preview
from django.db import migrations, models
from wagtail.images import get_image_model_string

import wagtail_lifecycle.fields


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_lifecycle", "0006_campaign_site"),
        ("wagtailcore", "0098_apitoken"),
        migrations.swappable_dependency(get_image_model_string()),
    ]

    operations = [
        migrations.CreateModel(
            name="Branding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "logo_alt",
                    models.CharField(
                        blank=True,
                        help_text="What people read who see no pictures: usually the name of the site.",
                        max_length=100,
                        verbose_name="alternative text",
                    ),
                ),
                (
                    "logo_width",
                    models.PositiveSmallIntegerField(
                        default=160,
                        help_text="The picture itself should be twice as wide, so that it is sharp on every screen.",
                        validators=[
                            django.core.validators.MinValueValidator(24),
                            django.core.validators.MaxValueValidator(536),
                        ],
                        verbose_name="width in pixels",
                    ),
                ),
                (
                    "fonts",
                    models.CharField(
                        choices=[
                            ("system", "The reader's own (most modern)"),
                            ("helvetica", "Helvetica or Arial"),
                            ("verdana", "Verdana"),
                            ("trebuchet", "Trebuchet"),
                            ("georgia", "Georgia, with serifs"),
                            ("palatino", "Palatino, with serifs"),
                            ("courier", "Courier, like a typewriter"),
                        ],
                        default="system",
                        help_text="Mail programs load no fonts, so these are the ones that nearly every computer and telephone has.",
                        max_length=20,
                        verbose_name="font",
                    ),
                ),
                (
                    "light_page",
                    wagtail_lifecycle.fields.ColourField(
                        default="#f2f4f6", help_text="Behind everything.", verbose_name="page"
                    ),
                ),
                (
                    "light_card",
                    wagtail_lifecycle.fields.ColourField(
                        default="#ffffff", help_text="Behind the body of the mail.", verbose_name="card"
                    ),
                ),
                (
                    "light_line",
                    wagtail_lifecycle.fields.ColourField(
                        default="#dfe3e8", help_text="Dividers, and the lines of tables.", verbose_name="lines"
                    ),
                ),
                (
                    "light_text",
                    wagtail_lifecycle.fields.ColourField(
                        default="#1f2933", help_text="Headings, paragraphs, numbers.", verbose_name="text"
                    ),
                ),
                (
                    "light_quiet",
                    wagtail_lifecycle.fields.ColourField(
                        default="#52606d", help_text="Dates, and what stands at the foot.", verbose_name="quiet text"
                    ),
                ),
                (
                    "light_accent",
                    wagtail_lifecycle.fields.ColourField(
                        default="#00686b", help_text="Links and buttons.", verbose_name="accent"
                    ),
                ),
                (
                    "light_on_accent",
                    wagtail_lifecycle.fields.ColourField(
                        default="#ffffff", help_text="The words on buttons.", verbose_name="text on the accent"
                    ),
                ),
                (
                    "dark_page",
                    wagtail_lifecycle.fields.ColourField(
                        default="#14181d", help_text="Behind everything.", verbose_name="page"
                    ),
                ),
                (
                    "dark_card",
                    wagtail_lifecycle.fields.ColourField(
                        default="#1f262d", help_text="Behind the body of the mail.", verbose_name="card"
                    ),
                ),
                (
                    "dark_line",
                    wagtail_lifecycle.fields.ColourField(
                        default="#3b4550", help_text="Dividers, and the lines of tables.", verbose_name="lines"
                    ),
                ),
                (
                    "dark_text",
                    wagtail_lifecycle.fields.ColourField(
                        default="#e6eaee", help_text="Headings, paragraphs, numbers.", verbose_name="text"
                    ),
                ),
                (
                    "dark_quiet",
                    wagtail_lifecycle.fields.ColourField(
                        default="#a7b1bc", help_text="Dates, and what stands at the foot.", verbose_name="quiet text"
                    ),
                ),
                (
                    "dark_accent",
                    wagtail_lifecycle.fields.ColourField(
                        default="#4fb8bb", help_text="Links and buttons.", verbose_name="accent"
                    ),
                ),
                (
                    "dark_on_accent",
                    wagtail_lifecycle.fields.ColourField(
                        default="#10161b", help_text="The words on buttons.", verbose_name="text on the accent"
                    ),
                ),
                (
                    "header",
                    wagtail.fields.RichTextField(
                        blank=True, help_text="They stand between the logo and the body.", verbose_name="words above"
                    ),
                ),
                (
                    "footer",
                    wagtail.fields.RichTextField(
                        blank=True,
                        help_text="They stand under the body, above the link to unsubscribe and the postal address.",
                        verbose_name="words below",
                    ),
                ),
                (
                    "postal_address",
                    models.TextField(
                        blank=True,
                        help_text="Many countries ask for one in every newsletter. Empty means that of the sender.",
                        max_length=500,
                        verbose_name="postal address",
                    ),
                ),
                (
                    "logo",
                    models.ForeignKey(
                        blank=True,
                        help_text="It stands above every mail and leads to the site's home page. Choose one that can be seen on both cards, the light and the dark. Without a logo, the sender's name stands there.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=get_image_model_string(),
                        verbose_name="logo",
                    ),
                ),
                (
                    "site",
                    models.OneToOneField(
                        editable=False, on_delete=django.db.models.deletion.CASCADE, to="wagtailcore.site"
                    ),
                ),
            ],
            options={
                "verbose_name": "branding of mails",
                "verbose_name_plural": "brandings of mails",
            },
            bases=(wagtail.models.preview.PreviewableMixin, models.Model),
        ),
    ]
