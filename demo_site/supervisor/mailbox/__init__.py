"""A mailbox for one machine: takes every mail by SMTP, passes none on, shows them on a page."""
