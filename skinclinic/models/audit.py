"""What people and programs saw and did, in a table that is only ever added to.

A row names its subjects by their keys and points at none of them, so that it stays when they go; and it holds nothing
that names a patient, so that erasing one leaves nothing in it to erase.
"""

import json
from typing import Any, NoReturn

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AddedOnly(Exception):
    """Somebody tried to change or to delete a row of the audit."""


class AddedOnlyQuerySet(models.QuerySet["AuditEvent"]):
    """Rows that are added, never changed, never deleted."""

    def update(self, **values: Any) -> NoReturn:
        raise AddedOnly("Rows of the audit are never changed.")

    def bulk_update(self, *rows: Any, **how: Any) -> NoReturn:
        raise AddedOnly("Rows of the audit are never changed.")

    def delete(self) -> NoReturn:
        raise AddedOnly("Rows of the audit are never deleted.")

    delete.alters_data = True  # type: ignore[attr-defined]  # templates ask for it
    delete.queryset_only = True  # type: ignore[attr-defined]  # no manager offers it


class AuditEvent(models.Model):
    """Who saw or did what, when, from where. ``mac`` seals what the row says; ``seq`` and ``chain`` are its place among
    all rows, given a few seconds after it was written (``services/audit_chain.py``)."""

    class Via(models.TextChoices):
        SESSION = "session", _("Signed in")
        TOKEN = "token", _("Program with a token")
        READER = "reader", _("Link of a reader")
        OPINION = "opinion", _("Link for a second opinion")
        VISITOR = "visitor", _("Nobody signed in")
        JOB = "job", _("Work in the background")
        COMMAND = "command", _("Command on the server")

    at = models.DateTimeField()
    clinic_key = models.BigIntegerField(null=True)
    user_key = models.BigIntegerField(null=True)
    # As it was then.
    user_name = models.CharField(max_length=200, blank=True)
    via = models.CharField(max_length=8, choices=Via.choices, blank=True)
    # Of the token, the reader, the link or the job.
    via_key = models.BigIntegerField(null=True)
    via_name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=45, blank=True)
    request = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=40)
    # "skinclinic.photo", as models are named.
    subject_kind = models.CharField(max_length=60, blank=True)
    subject_key = models.BigIntegerField(null=True)
    # As it was then; "" for everything of a patient, which its keys find.
    subject_name = models.CharField(max_length=200, blank=True)
    patient_key = models.BigIntegerField(null=True)
    reason = models.TextField(blank=True)
    # {before, after, facts} as JSON text, the very text that was sealed: a column of JSON may come back changed.
    details = models.TextField(blank=True)
    # No two rows have the same, so that a copy of a row is no second row.
    nonce = models.CharField(max_length=24, unique=True)
    mac = models.CharField(max_length=64)
    seq = models.BigIntegerField(null=True, unique=True)
    chain = models.CharField(max_length=64, blank=True)

    objects = AddedOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["clinic_key", "-id"], name="audit_of_clinic"),
            models.Index(
                fields=["patient_key", "-id"], condition=Q(patient_key__isnull=False), name="audit_of_patient"
            ),
            models.Index(fields=["user_key", "-id"], name="audit_of_user"),
            models.Index(fields=["-at", "-id"], name="audit_by_day"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            # From where a person has come before.
            models.Index(
                fields=["user_key", "address", "-id"], condition=Q(action="sign_in"), name="audit_sign_ins"
            ),
            models.Index(fields=["id"], condition=Q(seq__isnull=True), name="audit_without_place"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind} {self.subject_key or ''}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AddedOnly("Rows of the audit are never changed.")
        super().save(*args, **kwargs | {"force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AddedOnly("Rows of the audit are never deleted.")

    @property
    def before(self) -> Any:
        return self._told.get("before")

    @property
    def after(self) -> Any:
        return self._told.get("after")

    @property
    def facts(self) -> dict[str, Any]:
        return self._told.get("facts") or {}

    @property
    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads(self.details or "{}")
        except ValueError:  # somebody changed it by hand
            return {}
        return told if isinstance(told, dict) else {}


class AuditHead(models.Model):
    """The last row that has its place: where the next one goes, and how the loss of the last ones is noticed."""

    seq = models.BigIntegerField(default=0)
    chain = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.seq}:{self.chain}"
