"""Signals for site owners: observers, they cannot change what is sent."""

from django.dispatch import Signal

#: Before a mail is handed to the transport. Arguments: `delivery_id`, `run_id`, `campaign_id`.
pre_send = Signal()

#: After the outcome is recorded. Arguments: `delivery_id`, `run_id`, `campaign_id`, `status`, `reason`.
post_send = Signal()

#: Somebody opted out. Arguments: `address_hash`, `topic_id` (None means every topic).
unsubscribed = Signal()
