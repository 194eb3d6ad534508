"""Who belongs to the clinic: members and their roles, invitations, and the page an invitation leads to."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.forms.people import InvitationForm, JoinForm, MemberForm
from skinclinic.models import Invitation, Member, User
from skinclinic.permissions import ADMIN, clinic_member, get_for
from skinclinic.services import invitations, letters, people, step_up
from skinclinic.services.refused import Refused
from skinclinic.views.member_list import list_address, members_page
from skinclinic.web.middleware import SESSION_KEY
from skinclinic.web.requests import ClinicRequest, MemberRequest, SignedInRequest

BACKEND = "django.contrib.auth.backends.ModelBackend"


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: MemberRequest) -> HttpResponse:
    """Members and invitations; POST invites somebody and shows the link, this once."""
    if request.method != "POST":
        return members_page(request, InvitationForm())
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return members_page(request, form, status=422)
    # Whoever finds the page open makes nobody an admin.
    step_up.require(request)

    def address(secret: str) -> str:
        return request.build_absolute_uri(reverse("join", args=[secret]))

    invitation, secret = invitations.invite(
        request.membership.clinic,
        email=form.cleaned_data["email"],
        role=form.cleaned_data["role"],
        by=request.user,
        address=address,
    )
    return members_page(request, InvitationForm(), invited=invitation, link=address(secret))


@require_POST
def member_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give a member another role, or let them in or not."""
    member = get_for(request.user, Member.objects.select_related("user"), pk, ADMIN)
    form = MemberForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles in the list."))
        return redirect(list_address(request))
    step_up.require(request)
    try:
        people.change_member(
            member, role=form.cleaned_data["role"] or None, is_active=form.cleaned_data["is_active"]
        )
    except people.LastAdmin:
        messages.error(
            request,
            _("%(name)s is the only admin of this clinic. Make somebody else an admin first.")
            % {"name": member.user},
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Saved: %(name)s.") % {"name": member.user})
        return _back(request, member)
    return redirect(list_address(request))


@require_POST
def invitation_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    invitation = get_for(request.user, Invitation, pk, ADMIN)
    if invitations.revoke(invitation):
        messages.success(
            request, _("The link sent to %(email)s no longer works.") % {"email": invitation.email}
        )
    else:
        messages.info(request, _("That link did not work any more."))
    return redirect("members")


@require_POST
def invitation_mail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Try again to mail an invitation that could not be sent."""
    invitation = get_for(request.user, Invitation.objects.select_related("letter__job"), pk, ADMIN)
    if invitation.letter and letters.retry(invitation.letter):
        messages.success(request, _("The link is being sent to %(email)s.") % {"email": invitation.email})
    else:
        messages.info(request, _("There is nothing to send again. Make a new link instead."))
    return redirect("members")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: ClinicRequest, secret: str) -> HttpResponse:
    """Where an invitation's link leads: become a member, with a new account or the one signed in."""
    try:
        invitation = invitations.find_open(secret)
        if isinstance(request.user, User):
            return _join_as_oneself(request, request.user, invitation)
        return _join_as_new_person(request, invitation)
    except invitations.InvitationClosed:
        return render(request, "people/invitation_closed.html", status=404)


def _join_as_oneself(request: ClinicRequest, user: User, invitation: Invitation) -> HttpResponse:
    already = any(member.clinic_id == invitation.clinic_id for member in request.memberships)
    if request.method == "POST" and not already:
        try:
            return _welcome(request, invitations.accept(invitation, user))
        except invitations.AlreadyMember:
            already = True
    return render(request, "registration/join.html", {"invitation": invitation, "already_member": already})


def _join_as_new_person(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _join_form(request, invitation, form)
    user = form.save(commit=False)
    user.email = invitation.email
    try:
        member = invitations.accept(invitation, user)
    except IntegrityError:
        form.add_error("username", _("Somebody has just taken this user name. Choose another."))
        return _join_form(request, invitation, form)
    login(request, user, backend=BACKEND)
    return _welcome(request, member)


def _join_form(request: HttpRequest, invitation: Invitation, form: JoinForm) -> HttpResponse:
    context = {"invitation": invitation, "form": form}
    return render(request, "registration/join.html", context, status=422 if form.is_bound else 200)


def _welcome(request: HttpRequest, member: Member) -> HttpResponse:
    request.session[SESSION_KEY] = member.clinic.slug
    messages.success(request, _("Welcome to %(clinic)s.") % {"clinic": member.clinic})
    return redirect("start")


def _back(request: SignedInRequest, member: Member) -> HttpResponse:
    """To the list, unless the admin has just given up being one."""
    still_admin = Member.objects.filter(user=request.user, clinic=member.clinic, is_active=True, role="admin")
    return redirect(list_address(request, member) if still_admin.exists() else "worklist")
