"""What a peer answers, in terms of both protocols, and rules that choose the answer to a request."""

import dataclasses
import itertools
import threading

from grpc import StatusCode


@dataclasses.dataclass(frozen=True)
class Request:
    """One that came: `numbers` are those of its items, `size` its bytes before compression."""

    signal: str
    numbers: tuple
    size: int
    headers: dict  # names in lower case
    path: str
    arrived: float  # time.monotonic()


@dataclasses.dataclass(frozen=True)
class Answer:
    takes: bool = False  # the peer keeps the items
    status: int = 200  # of HTTP
    code: StatusCode = StatusCode.OK  # of gRPC
    message: str = ""
    retry_after: float | None = None  # seconds: Retry-After, and RetryInfo
    rejected: int = 0  # with `takes`: so many items are left out, and partial_success says so
    delay: float = 0  # seconds until it goes out
    cuts: bool = False  # the connection breaks before the answer; needs a peer behind a TcpProxy
    location: str = ""  # of a redirect
    body: bytes | None = None  # of an answer over HTTP that is not what it should be
    content_type: str = "application/x-protobuf"


TAKE = Answer(takes=True)
UNAVAILABLE = Answer(status=503, code=StatusCode.UNAVAILABLE, message="not now")
TOO_MANY = Answer(status=429, code=StatusCode.RESOURCE_EXHAUSTED, message="too many", retry_after=0.05)
REFUSE = Answer(status=400, code=StatusCode.INVALID_ARGUMENT, message="I do not like this one")
TOO_LARGE = Answer(status=413, code=StatusCode.RESOURCE_EXHAUSTED, message="larger than max")
UNAUTHORIZED = Answer(status=401, code=StatusCode.UNAUTHENTICATED, message="who are you?")
FORBIDDEN = Answer(status=403, code=StatusCode.PERMISSION_DENIED, message="not you")
NOT_FOUND = Answer(status=404, code=StatusCode.UNIMPLEMENTED, message="no such service")
TAKE_AND_CUT = Answer(takes=True, cuts=True)
CUT = Answer(cuts=True)


def always(answer):
    return lambda request: answer


def first(count, answer, then=TAKE):
    """The first so many requests get `answer`, all others `then`."""
    turns, lock = itertools.count(), threading.Lock()

    def rule(_):
        with lock:
            return answer if next(turns) < count else then

    return rule


def every(nth, answer, otherwise=TAKE):
    """Each n-th request gets `answer`."""
    turns, lock = itertools.count(1), threading.Lock()

    def rule(_):
        with lock:
            return answer if next(turns) % nth == 0 else otherwise

    return rule


def unless(condition, answer):
    """Requests for which the condition does not hold get `answer`."""
    return lambda request: TAKE if condition(request) else answer
