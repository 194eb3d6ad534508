"""Which words of its address or form a page looks at: only their values can matter to it."""

from collections.abc import Iterable

import pytest
from django.http import QueryDict

ONE = ("__getitem__", "__contains__", "get", "getlist", "pop")
ALL = ("__iter__", "__len__", "items", "lists", "values", "keys", "dict", "copy", "urlencode")


class WordsRead:
    """The words that were looked at since ``forget``; a look at all of them counts for each."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._words: set[str] = set()
        self._all = False

    def any_of(self, words: Iterable[str]) -> bool:
        return self._all or not self._words.isdisjoint(words)

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        class Watched(QueryDict):
            """Made to notice who looks, once it is filled."""

            is_filled = False

            def __init__(self, *args, **more):
                super().__init__(*args, **more)
                self.is_filled = True

        def noticing(method, all_of_them: bool):
            def look(query, *args, **more):
                if query.is_filled:
                    self._all |= all_of_them
                    self._words.update(args[:1])
                return method(query, *args, **more)

            return look

        for name in (*ONE, *ALL):
            setattr(Watched, name, noticing(getattr(QueryDict, name), name in ALL))
        for module in ("django.core.handlers.wsgi", "django.http", "django.http.request"):
            patch.setattr(f"{module}.QueryDict", Watched)


@pytest.fixture
def words_read(monkeypatch) -> WordsRead:
    """Watches every request of the test."""
    words = WordsRead()
    words.watch(monkeypatch)
    return words
