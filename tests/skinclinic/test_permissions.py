"""The only door to a clinic's rows: outsiders 404, read-only members 403."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from classifier.models import ModelVersion
from skinclinic.models import Lesion, Member, Photo, Role
from skinclinic.permissions import (
    ADMIN,
    CURATE,
    EDIT,
    STUDY,
    VIEW,
    clinic_member,
    get_for,
    membership,
    require,
    visible,
)
from tests import factories
from tests.cases import each

pytestmark = pytest.mark.django_db

NEEDS = [VIEW, EDIT, CURATE, STUDY, ADMIN]
ALLOWED = {
    "clinician": {VIEW, EDIT},
    "coordinator": {VIEW, STUDY},
    "curator": {VIEW, EDIT, CURATE},
    "admin": set(NEEDS),
}


def test_the_table_names_every_role():
    assert set(ALLOWED) == set(Role.values)


@each("role", ALLOWED)
@each("need", NEEDS)
def test_what_each_role_may_do(photo, clinic, role, need):
    user = factories.make_member(clinic, role, "somebody")
    if need in ALLOWED[role]:
        assert get_for(user, Photo, photo.pk, need) == photo
    else:
        with pytest.raises(PermissionDenied):
            get_for(user, Photo, photo.pk, need)


def test_outsiders_find_nothing(photo, outsider):
    for user in (outsider, AnonymousUser()):
        assert not visible(Photo, user).exists()
        for need in NEEDS:
            with pytest.raises(Http404):
                get_for(user, Photo, photo.pk, need)


def test_former_members_find_nothing(photo, clinic, clinician):
    Member.objects.filter(user=clinician).update(is_active=False)
    assert membership(clinician, clinic.pk) is None
    assert not visible(Photo, clinician).exists()
    with pytest.raises(Http404):
        get_for(clinician, Photo, photo.pk)


def test_a_role_counts_only_in_its_clinic(photo, clinician, other_clinic, outsider):
    Member.objects.create(clinic=other_clinic, user=clinician, role="coordinator")
    theirs = factories.make_photo(other_clinic, outsider, seed=3)
    assert get_for(clinician, Photo, photo.pk, EDIT) == photo
    assert get_for(clinician, Photo, theirs.pk) == theirs
    with pytest.raises(PermissionDenied):
        get_for(clinician, Photo, theirs.pk, EDIT)
    assert set(visible(Photo, clinician)) == {photo, theirs}


@each("pk", [0, -1, 10**30, "x", "", "\x00", None, "1; DROP TABLE", [1], {}])
def test_ids_of_nothing_are_not_found(clinician, photo, pk):
    with pytest.raises(Http404):
        get_for(clinician, Photo, pk)


def test_a_queryset_narrows(photo, clinician):
    with pytest.raises(Http404):
        get_for(clinician, Photo.objects.filter(kind="overview"), photo.pk)


def test_rows_without_a_clinic_are_nobodys(clinician, model_version):
    with pytest.raises(Http404):
        get_for(clinician, ModelVersion, model_version.pk)
    assert not visible(ModelVersion, clinician).exists()


@pytest.mark.parametrize("need", ["", "veiw", None])
def test_a_misspelt_right_grants_nothing(photo, admin_user, need):
    with pytest.raises(ValueError, match="no such right"):
        get_for(admin_user, Photo, photo.pk, need)


def test_nobody_without_a_membership(clinic, clinician):
    with pytest.raises(PermissionDenied):
        require(None, VIEW)
    member = Member.objects.get(user=clinician)
    member.is_active = False
    with pytest.raises(PermissionDenied):
        require(member, VIEW)


def test_decorator_keeps_what_the_view_says_of_itself(rf):
    def view(request):
        return "seen"

    view.login_required = False
    assert clinic_member()(view).login_required is False


def test_a_superuser_has_no_special_door(db, photo, django_user_model):
    root = django_user_model.objects.create_superuser("root", "root@example.org", factories.PASSWORD)
    with pytest.raises(Http404):
        get_for(root, Lesion, photo.lesion_id)


@each("role", ["coordinator", "admin"])
def test_the_menu_leads_nobody_to_a_page_they_may_not_see(client_for, clinic, role):
    client = client_for(factories.make_member(clinic, role, "somebody"))
    page = client.get("/account/").content.decode()
    menus = "".join(re.findall(r"<header.*?</header>|<nav.*?</nav>", page, re.S))
    addresses = set(re.findall(r'<a [^>]*href="(/[^"]*)"', menus))
    assert {"/", "/patients/", "/account/"} <= addresses and ("/upload/" in addresses) == (
        EDIT in ALLOWED[role]
    )
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(
        addresses, 200
    )
