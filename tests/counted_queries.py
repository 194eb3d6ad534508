"""How many statements the database is asked, without writing each down as Django does, which takes a large statement
as long as the database does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


class Count:
    queries = 0

    def __call__(self, execute: Callable, *asked: Any) -> Any:
        self.queries += 1
        return execute(*asked)


@contextmanager
def counted() -> Iterator[Count]:
    """Counts while the block runs."""
    count = Count()
    with connection.execute_wrapper(count):
        yield count
