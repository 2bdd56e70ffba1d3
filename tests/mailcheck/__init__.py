"""``make mailcheck``: every starter as a hundred people get it, looked at by everybody who judges mails."""
