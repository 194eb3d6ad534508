"""For forms that fill a stored row: what somebody else saved since the form was opened is not overwritten."""

import json
from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.forms.models import model_to_dict
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.seen import values_in
from skinclinic.services.merging import merge, same

CHANGED = _(
    "Somebody else changed this meanwhile to: %(theirs)s. Nothing was saved. Save again to put yours in its place, or "
    "take theirs over."
)


class KeepsOthersWork(forms.ModelForm):
    """The form sends what it showed, in a hidden field that its template draws. Fields that the person did not touch
    take what is stored now; one that both have changed is asked about at its place. ``clashes``: whether any was.

    ``seen_name`` tells the hidden fields of several forms of one page apart.
    """

    seen_name = "seen"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.clashes = False
        self.fields[self.seen_name] = forms.CharField(required=False, widget=forms.HiddenInput)
        self.initial[self.seen_name] = json.dumps(self._stored())

    def values(self) -> dict[str, Any]:
        """The row's fields as the form says them."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}

    def stored(self) -> dict[str, Any]:
        """What is stored now of everything the form fills, by the names of its fields."""
        return model_to_dict(self.instance, self._meta.fields)

    def _stored(self) -> dict[str, Any]:
        return json.loads(json.dumps(self.stored(), default=str))

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        seen = values_in(cleaned.pop(self.seen_name, ""))
        if seen is None or self.instance.pk is None:
            return cleaned
        stored, names = self._stored(), [name for name in self._stored() if name in cleaned]
        wanted = json.loads(json.dumps({name: _key(cleaned[name]) for name in names}, default=str))
        merged = merge([(name,) for name in names], seen, wanted, stored)
        for (name,) in merged.clashes:
            self.add_error(name, forms.ValidationError(CHANGED, params={"theirs": self._shown(name)}))
            seen[name] = stored[name]
        for name in names:
            untouched = name not in merged.changes and (name,) not in merged.clashes
            if untouched and not same(wanted[name], stored[name]):
                cleaned[name] = self._value(name)
        if merged.clashes:
            self.clashes = True
            # Sent once more, the form knows the other version.
            data = cast(QueryDict, self.data).copy()
            data[self.add_prefix(self.seen_name)] = json.dumps(seen)
            self.data = data
        return cleaned

    def _value(self, name: str) -> Any:
        """What is stored now, as the cleaned form would have it."""
        return getattr(self.instance, name) if name in (self._meta.fields or ()) else self.stored()[name]

    def _shown(self, name: str) -> str:
        value = self._value(name)
        if isinstance(value, bool):
            return str(_("yes") if value else _("no"))
        if isinstance(value, list):
            labels = {str(key): str(label) for key, label in getattr(self.fields[name], "choices", ())}
            return ", ".join(labels.get(str(one), str(one)) for one in value) or "–"
        return str(value if value not in (None, "") else "–")


def _key(value: Any) -> Any:
    return getattr(value, "pk", value)


def as_sent(value: Any) -> str:
    """A value as a form sends it."""
    return ("on" if value else "") if isinstance(value, bool) else "" if value is None else str(value)


def rebased(data: QueryDict, stands: Mapping[str, Any]) -> tuple[QueryDict, dict[str, str]]:
    """What a plain form sent, as if it had been opened now: fields that the person did not touch are as they stand.
    The second: {field: what stands} of those that somebody else changed, too, to something else.
    """
    seen = values_in(data.get("seen", ""))
    if seen is None:
        return data, {}
    moved, clashes = data.copy(), {}
    for name, value in stands.items():
        now, mine = as_sent(value), data.get(name, "")
        was = seen.get(name, now)
        if same(mine, was):
            moved[name] = now
        elif not same(now, was) and not same(mine, now):
            clashes[name] = now
            seen[name] = now
        if not moved.get(name):
            moved.pop(name, None)
    moved["seen"] = json.dumps(seen)
    return moved, clashes
