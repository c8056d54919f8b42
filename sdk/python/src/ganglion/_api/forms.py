"""The three forms of a call, and how a client gets methods from them.

- A *script* is a generator that yields requests, gets the responses sent in, and returns the result. Most have one
  `yield`; those that ask more than once (`wait`) are written as plainly.
- A *listing* gives its items page by page.
- A *stream* gives events as they happen; see `streams`.

None of them does any I/O, so the blocking and the asyncio client share them and differ in three short loops. `Call`,
`Items` and `Streamed` are descriptors: in the table of calls each stands for a method, and its type depends on the
client that it is taken from: `T` or a coroutine of `T`, an iterator or an async iterator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar, overload
from urllib.parse import quote, urlencode

from .._http import Request, Response
from .streams import Stream

P = ParamSpec("P")
T = TypeVar("T")

#: A failure to get an answer is thrown into the script as `ServerUnavailable`.
Script: TypeAlias = Generator[Request, Response, T]

#: Items per page of a listing; the most that the server gives.
PAGE_SIZE = 200


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def query(**values: Any) -> str:
    """`?name=value&…` of the values that are not None; empty if there are none."""
    given = {name: value for name, value in values.items() if value is not None}
    return "?" + urlencode(given) if given else ""


class Listing(Generic[T]):
    """Pages of a list: ask with `request()`, give the answer to `take()`, until `done`."""

    def __init__(self, path: str, filters: Mapping[str, Any], read: Callable[[Any], T]) -> None:
        self._path = path
        self._filters = dict(filters)
        self._read = read
        self._cursor: str | None = None
        self.done = False

    def request(self) -> Request:
        return Request("GET", self._path + query(limit=PAGE_SIZE, **self._filters, cursor=self._cursor))

    def take(self, response: Response) -> list[T]:
        page = response.json()
        self._cursor = page["next_cursor"]
        self.done = self._cursor is None
        return [self._read(item) for item in page["items"]]


class Blocking(ABC):
    """A client whose methods block."""

    @abstractmethod
    def _run(self, script: Script[T]) -> T: ...

    @abstractmethod
    def _items(self, listing: Listing[T]) -> Iterator[T]: ...

    @abstractmethod
    def _events(self, stream: Stream[T]) -> Iterator[T]: ...


class Asynchronous(ABC):
    """A client whose methods are awaited."""

    @abstractmethod
    async def _run(self, script: Script[T]) -> T: ...

    @abstractmethod
    def _items(self, listing: Listing[T]) -> AsyncIterator[T]: ...

    @abstractmethod
    def _events(self, stream: Stream[T]) -> AsyncIterator[T]: ...


class Call(Generic[P, T]):
    """A method that gives the result of a script."""

    def __init__(self, make: Callable[P, Script[T]]) -> None:
        self._make = make

    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Script[T]]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Blocking | Asynchronous | None, owner: type) -> Callable[P, Any]:
        return _bound(self._make, None if client is None else client._run)


class Items(Generic[P, T]):
    """A method that iterates over a listing."""

    def __init__(self, make: Callable[P, Listing[T]]) -> None:
        self._make = make

    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Listing[T]]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Blocking | Asynchronous | None, owner: type) -> Callable[P, Any]:
        return _bound(self._make, None if client is None else client._items)


class Streamed(Generic[P, T]):
    """A method that iterates over a stream."""

    def __init__(self, make: Callable[P, Stream[T]]) -> None:
        self._make = make

    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Stream[T]]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Blocking | Asynchronous | None, owner: type) -> Callable[P, Any]:
        return _bound(self._make, None if client is None else client._events)


def _bound(make: Callable[P, Any], drive: Callable[[Any], Any] | None) -> Callable[P, Any]:
    if drive is None:
        return make  # taken from the class, as `help` does

    def method(*args: P.args, **kwargs: P.kwargs) -> Any:
        return drive(make(*args, **kwargs))

    method.__doc__ = make.__doc__
    return method
