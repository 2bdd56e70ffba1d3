"""A hundred people to write to: short names, long ones, names of many scripts, and names that mean harm."""

from wagtail_lifecycle.audiences import Recipient

NAMES = (
    "Ana Costa", "", "X", "Łukasz Żółć", "Maximiliane Friederike Charlotte von und zu Hohenstein-Wittelsbach",
    "محمد عبد الله", "李小龙", "עברית שם", "Renée O'Connor-D'Arcy", "Ng", "<b>Bold</b> & Sons", "<script>x</script>",
    "Bob; DROP TABLE", "=HYPERLINK(1)", "Zoë 🦊 Fox", "Đặng Thị Ánh", "Σωκράτης", "null", "Иван Петров", "O",
)  # fmt: skip


def hundred() -> list[Recipient]:
    """Return a hundred recipients; each name comes five times, under another address."""
    return [
        Recipient(key=f"user:{number}", address=f"reader{number}@example.net", name=NAMES[number % len(NAMES)])
        for number in range(1, 101)
    ]
