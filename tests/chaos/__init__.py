"""Rounds in which everything is killed, cut and flushed while mails are sent: `make chaos`."""
