"""The exceptions of the library. Every message names the thing, its value, what is allowed and the way out."""

from __future__ import annotations


class OtlpError(Exception):
    """Base of all errors of this library."""

    message: str
    """What went wrong, without the kind of the error."""
    retryable: bool
    """True where the same call may succeed later."""

    def __init__(self, message: str = "", *, retryable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (type(self), self.message, self.retryable)


def _restored(kind: type[OtlpError], message: str, retryable: bool) -> OtlpError:
    return kind(message, retryable=retryable)


class OtlpConfigError(OtlpError):
    """A setting is unknown, of the wrong type, or out of range."""


class OtlpExportError(OtlpError):
    """Telemetry was refused: it is malformed, or there is no room for it (then `retryable`)."""


class OtlpIOError(OtlpError, OSError):
    """The file system refused. Also an `OSError` (`IOError`)."""


class OtlpServerError(OtlpError):
    """A server could not be started, or a peer failed."""


class OtlpShutdownError(OtlpExportError):
    """The library is shut down and takes nothing more, or its shutdown did not end cleanly."""


def as_export_error(error: Exception) -> OtlpExportError:
    """What something else that was raised during an export is told as."""
    wrapped = OtlpExportError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped


ConfigError = OtlpConfigError
ExportError = OtlpExportError
ShutdownError = OtlpShutdownError
