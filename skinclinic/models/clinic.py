import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Clinic(models.Model):
    """A clinic owns its patients, lesions, photos and analyses; nobody outside sees them."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("short name in addresses"), max_length=60, unique=True)
    impression_first = models.BooleanField(
        _("own impression first"),
        default=True,
        help_text=_("Clinicians record their own impression before they see the model's answer."),
    )
    try_page_open = models.BooleanField(
        _("try page open to anyone"),
        default=False,
        help_text=_("Anyone who knows the address can classify a photo without signing in. Nothing is kept."),
    )
    # Roles whose members sign in with a second factor, besides those that must everywhere.
    second_factor_roles = models.JSONField(_("second factor at sign-in"), default=list, blank=True)
    # The head of its letters, and the language they are written in.
    letter_address = models.TextField(_("postal address"), max_length=400, blank=True)
    letter_phone = models.CharField(_("telephone"), max_length=60, blank=True)
    letter_language = models.CharField(_("language of letters and reports"), max_length=8, blank=True)
    # The key of a stored picture, and those of letters made before: they keep theirs.
    letter_logo = models.CharField(max_length=120, blank=True)
    # What its UIDs in DICOM are made of, here and in no other installation; it never changes.
    uid_namespace = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    CLINICIAN = "clinician", _("Clinician")
    COORDINATOR = "coordinator", _("Study coordinator")
    CURATOR = "curator", _("Curator")
    ADMIN = "admin", _("Admin")


class Member(models.Model):
    """A person in a clinic, with one role."""

    EDITING_ROLES = (Role.CLINICIAN, Role.CURATOR, Role.ADMIN)
    STUDY_ROLES = (Role.COORDINATOR, Role.ADMIN)

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    # The hospital's own sign-in says so, and takes it back when it no longer does.
    from_provider = models.BooleanField(default=False)
    # Shown until the person puts them away.
    first_steps = models.BooleanField(default=True)

    class Meta:
        ordering = ["clinic__name", "user__username"]
        constraints = [models.UniqueConstraint(fields=["clinic", "user"], name="one_membership_a_clinic")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()}, {self.clinic})"

    @property
    def can_edit(self) -> bool:
        """Whether this member may change patients, lesions, photos and diagnoses."""
        return self.role in self.EDITING_ROLES

    @property
    def can_curate(self) -> bool:
        """Whether this member may change the archive and its datasets."""
        return self.role in (Role.CURATOR, Role.ADMIN)

    @property
    def can_run_studies(self) -> bool:
        """Whether this member may make, open and close reader studies and see their truth before they close."""
        return self.role in self.STUDY_ROLES

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN


class Invitation(models.Model):
    """A link an admin sends; only the hash of its secret is kept."""

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail"))
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    letter = models.ForeignKey("skinclinic.Letter", models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.email} → {self.clinic}"
