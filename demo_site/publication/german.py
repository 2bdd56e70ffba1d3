"""The demo's campaigns in German; everything but their words is that of the English ones."""

from demo_site.publication.blocks import Block, button, call_out, heading, text, verify_button
from demo_site.publication.models import HomePage

GERMAN = "de"
FIRST_NAME = '<span data-merge-tag="recipient.first_name" data-fallback="liebe Leserin, lieber Leser">Vorname</span>'

Words = dict[str, object]


def words_in_german(home: HomePage) -> dict[str, Words]:
    """The words of each campaign, by its English name."""
    return {
        "Daily views digest": daily_digest(home),
        "Today so far": today_so_far(),
        "Monthly report": monthly_report(),
        "Weekly reminder to verify": weekly_reminder(),
        "Verify your address": verify_your_address(),
        "Welcome": welcome(home),
    }


def daily_digest(home: HomePage) -> Words:
    return {
        "name": "Tägliche Aufrufe",
        "subject": "{{ recipient.first_name | Guten Morgen }}, das sind Ihre Aufrufe von gestern",
        "preheader": "Wie viele Sie gelesen haben, Seite für Seite.",
        "body": [
            heading("Wer Sie gestern gelesen hat"),
            text(
                f"<p>Guten Morgen {FIRST_NAME},</p>"
                "<p>während das Wasser heiß wird: so oft wurden Ihre Seiten geöffnet.</p>"
            ),
            views("Ihre Seiten gestern"),
            ("divider", {}),
            text("<p>Aufrufe von Robotern und von allen, die die Website bearbeiten, zählen nicht.</p>"),
            sample_readers(),
            button("Zur Titelseite", page=home),
        ],
    }


def today_so_far() -> Words:
    return {
        "name": "Heute bis jetzt",
        "subject": "Heute bis jetzt",
        "preheader": "Ihre Seiten seit Mitternacht.",
        "body": [
            heading("Heute bis jetzt"),
            text(f"<p>Guten Tag {FIRST_NAME},</p><p>das sind die Aufrufe Ihrer Seiten seit Mitternacht.</p>"),
            views("Ihre Seiten heute"),
            sample_readers("Die Demo sendet dies jede Minute; eine echte Website würde seltener schreiben."),
        ],
    }


def monthly_report() -> Words:
    return {
        "name": "Monatsbericht",
        "subject": "The Quick Publisher im letzten Monat",
        "preheader": "Aufrufe, neue Beiträge und was am meisten gelesen wurde.",
        "body": [
            heading("Der Monat in Zahlen"),
            text(f"<p>Guten Tag {FIRST_NAME},</p><p>das war der letzte Monat bei The Quick Publisher.</p>"),
            ("site_totals", {"heading": "Die Website in Zahlen"}),
            ("page_list", {"heading": "Neu im letzten Monat", "choice": "recent", "pages": []}),
            sample_readers(),
        ],
    }


def weekly_reminder() -> Words:
    return {
        "name": "Wöchentliche Erinnerung an die Bestätigung",
        "subject": "Ist das noch Ihre Adresse?",
        "preheader": "Ein Schritt fehlt noch, dann ist Ihr Konto vollständig.",
        "body": [
            heading("Ein Schritt fehlt"),
            text(
                f"<p>Guten Tag {FIRST_NAME},</p><p>Sie haben ein Konto bei The Quick Publisher, aber wir wissen noch "
                "nicht, ob diese Adresse Ihnen gehört. Bis dahin senden wir Ihnen nichts als diese Erinnerung.</p>"
            ),
            verify_button("Das ist meine Adresse"),
            call_out("<p>Sie haben nie von uns gehört? Dann tun Sie nichts: jemand hat sich vertippt.</p>"),
        ],
    }


def verify_your_address() -> Words:
    return {
        "name": "Adresse bestätigen",
        "subject": "Bestätigen Sie Ihre Adresse",
        "preheader": "Ein Knopfdruck, und Ihr Konto ist vollständig.",
        "body": [
            heading("Sind Sie das?"),
            text(
                f"<p>Guten Tag {FIRST_NAME},</p><p>jemand hat mit dieser Adresse ein Konto bei The Quick Publisher "
                "angelegt. Wenn Sie es waren, drücken Sie den Knopf; er funktioniert drei Tage lang.</p>"
            ),
            verify_button("Meine Adresse bestätigen"),
            call_out("<p>Sie waren es nicht? Dann tun Sie nichts, und wir schreiben nicht mehr.</p>"),
        ],
    }


def welcome(home: HomePage) -> Words:
    return {
        "name": "Willkommen",
        "subject": "Willkommen, {{ recipient.first_name | liebe Leserin, lieber Leser }}",
        "preheader": "Was Sie hier tun können, in drei Sätzen.",
        "body": [
            heading("Schön, dass Sie da sind"),
            text(
                f"<p>Guten Tag {FIRST_NAME},</p><p>Ihre Adresse ist bestätigt, und die Titelseite gehört Ihnen. Wir "
                "drucken wenig und lesen vorher alles zweimal.</p>"
            ),
            button("Zu lesen beginnen", page=home),
        ],
    }


def sample_readers(more: str = "") -> Block:
    sentence = "Gelesen haben hier Musterleser. Melden Sie sich ab und öffnen Sie einen Beitrag: Ihr Aufruf zählt dazu."
    return call_out(f"<p>{' '.join(filter(None, [sentence, more]))}</p>")


def views(title: str) -> Block:
    return "page_views", {"heading": title, "when_empty": "In diesem Zeitraum hat niemand Ihre Seiten geöffnet."}
