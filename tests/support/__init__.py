"""What the tests stand on: the services they need, and finding them."""
