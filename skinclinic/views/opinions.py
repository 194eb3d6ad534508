"""Asking for a second opinion on a lesion, and ending the question."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.forms.opinions import AskMemberForm, AskOutsideForm
from skinclinic.models import Lesion, SecondOpinion
from skinclinic.permissions import EDIT, get_for
from skinclinic.services import mail, second_opinions
from skinclinic.services.refused import Refused
from skinclinic.web.requests import SignedInRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def opinion_new(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask about lesion ``pk``: ``who=member`` a member of the clinic, else by a link somebody outside. The page that
    answers the latter is the only one that has the link."""
    lesion = get_for(request.user, Lesion.objects.select_related("patient"), pk, EDIT)
    photos = list(lesion.photos.order_by("-captured_at", "-created_at", "-pk"))
    is_sent, to_member = request.method == "POST", request.POST.get("who") == "member"
    member_form = AskMemberForm(
        request.POST if is_sent and to_member else None, lesion=lesion, user=request.user
    )
    newest = {"photos": [str(photo.pk) for photo in photos[:1]]}
    outside_form = AskOutsideForm(
        request.POST if is_sent and not to_member else None, photos=photos, initial=newest
    )
    form = member_form if to_member else outside_form
    context = {
        "lesion": lesion,
        "photos": photos,
        "can_mail": mail.can_mail(),
        "is_outside": is_sent and not to_member,
    }
    if is_sent and form.is_valid():
        said = form.cleaned_data
        try:
            if to_member:
                second_opinions.ask_member(lesion, request.user, said["colleague"], said["question"])
                messages.success(
                    request, _("Asked. The case is under For me of %(name)s.") % {"name": said["colleague"]}
                )
                return redirect(reverse("lesion", args=[pk]) + "#opinions")
            opinion, secret = second_opinions.ask_outside(
                lesion, request.user, address=lambda secret: _link(request, secret), **said
            )
            return render(
                request, "opinions/made.html", context | {"opinion": opinion, "link": _link(request, secret)}
            )
        except Refused as refused:
            form.add_error(refused.field or None, str(refused))
    context |= {"member_form": member_form, "outside_form": outside_form}
    return render(request, "opinions/new.html", context, status=422 if is_sent else 200)


@require_POST
def opinion_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    opinion = get_for(request.user, SecondOpinion.objects.select_related("letter__job"), pk, EDIT)
    if second_opinions.withdraw(opinion, request.user):
        messages.success(request, _("Withdrawn. What was answered stays."))
    else:
        messages.info(request, _("It was withdrawn already."))
    return redirect(reverse("lesion", args=[opinion.lesion_id]) + "#opinions")


def _link(request: SignedInRequest, secret: str) -> str:
    return request.build_absolute_uri(reverse("opinion", args=[secret]))
