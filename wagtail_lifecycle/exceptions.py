"""What can go wrong, named by what a caller can do about it."""


class LifecycleError(Exception):
    """Base of every error this package raises on purpose."""


class UnknownName(LifecycleError, LookupError):
    """A name was asked for that nobody registered: correct the name or register it."""


class AlreadyRegistered(LifecycleError, ValueError):
    """A name was registered twice: choose another name."""


class Misconfigured(LifecycleError, ValueError):
    """A setting of the site is missing or wrong: correct the settings."""


class InvalidSchedule(LifecycleError, ValueError):
    """A schedule cannot be computed: correct the field named by `field`."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        #: name of the Campaign field at fault
        self.field = field


class CompileError(LifecycleError, ValueError):
    """Content cannot become a mail: correct the content at `field`."""

    def __init__(self, message: str, *, field: str = "body") -> None:
        super().__init__(message)
        #: name of the Campaign field at fault
        self.field = field


class ClaimLost(LifecycleError):
    """Another worker owns the delivery now: stop, and send nothing more of the group."""


class InvalidToken(LifecycleError, ValueError):
    """A signed token is not one of ours, or not for this purpose."""


class NoLine(LifecycleError):
    """All connections of a sender are in use: try again later."""
