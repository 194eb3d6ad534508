"""The members page: roles, access, and that a clinic never loses its last admin."""

import re
import threading

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection

from skinclinic.models import Clinic, Invitation, Member, User
from skinclinic.services import invitations, people
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import NASTY, messages_of, url

pytestmark = pytest.mark.django_db


def membership(user, clinic):
    return Member.objects.get(user=user, clinic=clinic)


def test_lists_members_of_this_clinic_only(client_for, admin_user, clinician, coordinator, outsider):
    page = client_for(admin_user).get(url("members")).content.decode()
    assert "Clara" in page and "Cora" in page
    assert "Oscar" not in page


@pytest.mark.parametrize("person", ["clinician", "coordinator", "curator"])
def test_only_admins_enter(client_for, request, clinic, person):
    client = client_for(request.getfixturevalue(person))
    other = factories.make_member(clinic, "clinician", "someone")
    assert client.get(url("members")).status_code == 403
    assert client.post(url("members"), {"email": "a@example.org", "role": "admin"}).status_code == 403
    edit = url("member-edit", membership(other, clinic).pk)
    assert client.post(edit, {"role": "admin"}).status_code == 403
    assert not Invitation.objects.exists()
    assert membership(other, clinic).role == "clinician"


def test_admin_changes_roles(client_for, admin_user, clinician, clinic):
    client = client_for(admin_user)
    response = client.post(url("member-edit", membership(clinician, clinic).pk), {"role": "curator"})
    assert response.url == f"{url('members')}#member-{membership(clinician, clinic).pk}"
    assert membership(clinician, clinic).role == "curator"


def test_a_clinic_of_hundreds_is_searched_and_shown_a_page_at_a_time(client_for, admin_user, clinic):
    made = User.objects.bulk_create(
        User(username=f"u{n:03}", display_name=f"김철수 {n}", email=f"u{n}@example.org") for n in range(120)
    )
    rows = Member.objects.bulk_create(Member(clinic=clinic, user=user, role="clinician") for user in made)
    client = client_for(admin_user)
    for number in range(80):
        invitations.invite(clinic, email=f"new{number}@example.org", role="clinician", by=admin_user)
    first = client.get(url("members"))
    assert first.content.count(b'id="member-') == 50 and b"30 older ones" in first.content
    second = client.get(url("members") + first.context["next_url"])
    assert second.content.count(b'id="member-') == 50 and second.context["previous_url"]
    for asked in ("U117", "김철수 117", "u117@"):
        found = client.get(url("members"), {"q": asked})
        assert [member.user.username for member in found.context["members"]] == ["u117"]
    # What is pressed there leads back there.
    where = f"{url('member-edit', rows[117].pk)}?q=u117"
    assert client.post(where, {"role": "curator"}).url == f"{url('members')}?q=u117#member-{rows[117].pk}"
    assert client.post(where, {"role": "owner"}).url == f"{url('members')}?q=u117"
    assert [i.email for i in client.get(url("members"), {"q": "new7@"}).context["open_invitations"]] == [
        "new7@example.org"
    ]
    for nothing in ("nobody of this name", *NASTY[2:6]):
        assert client.get(url("members"), {"q": nothing, "page": nothing}).status_code == 200


def test_an_invitation_shows_its_link_where_the_page_begins(client_for, admin_user, clinic):
    """The button above leads down to the form by #id_email, which the answer must not inherit."""
    page = client_for(admin_user).get(url("members"), {"q": "ada"}).content.decode()
    assert 'href="#id_email"' in page and f'action="{url("members")}?q=ada" class="invite-form"' in page


def test_members_show_who_has_a_second_factor(client_for, admin_user, clinician):
    page = url("members")
    assert "second factor" not in client_for(admin_user).get(page).content.decode()
    Authenticator.objects.create(user=clinician, type=Authenticator.Type.TOTP, data={})
    assert "second factor</span>" in client_for(admin_user).get(page).content.decode()


@pytest.mark.parametrize(
    "name", ["members", "service-accounts", "account", "tokens", "clinic-settings", "retention", "audit"]
)
def test_no_two_parts_of_a_page_have_one_id(client_for, admin_user, clinician, name):
    """The label of a field with the id of another leads to that other."""
    ids = re.findall(r'\bid="([^"]+)"', client_for(admin_user).get(url(name)).content.decode())
    assert len(ids) > 5 and len(ids) == len(set(ids))


def test_admin_takes_and_gives_access(client_for, admin_user, clinician, clinic):
    admin, theirs = client_for(admin_user), client_for(clinician)
    edit = url("member-edit", membership(clinician, clinic).pk)
    admin.post(edit, {"is_active": "no"})
    assert theirs.get(url("worklist")).status_code == 403
    admin.post(edit, {"is_active": "yes"})
    assert theirs.get(url("worklist")).status_code == 200


@pytest.mark.parametrize("change", [{"role": "clinician"}, {"is_active": "no"}])
def test_last_admin_stays(client_for, admin_user, clinic, change):
    response = client_for(admin_user).post(url("member-edit", membership(admin_user, clinic).pk), change)
    assert "only admin" in messages_of(response)
    assert membership(admin_user, clinic).is_admin
    assert membership(admin_user, clinic).is_active


def test_an_admin_who_cannot_sign_in_does_not_count(admin_user, clinic):
    second = factories.make_member(clinic, "admin", "second")
    second.is_active = False
    second.save()
    with pytest.raises(people.LastAdmin):
        people.change_member(membership(admin_user, clinic), role="curator")


def test_admin_may_step_down_when_there_is_another(client_for, admin_user, clinic):
    factories.make_member(clinic, "admin", "second")
    response = client_for(admin_user).post(
        url("member-edit", membership(admin_user, clinic).pk), {"role": "clinician"}
    )
    assert response.url == url("worklist"), "the members page is closed to them now"
    assert membership(admin_user, clinic).role == "clinician"


@pytest.mark.django_db(transaction=True)
def test_two_admins_cannot_remove_each_other(admin_user, clinic):
    second = factories.make_member(clinic, "admin", "second")
    start = threading.Barrier(2)

    def step_down(user):
        try:
            start.wait()
            people.change_member(membership(user, clinic), role="clinician")
        except people.LastAdmin:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=step_down, args=(user,)) for user in (admin_user, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Member.objects.filter(clinic=clinic, role="admin", is_active=True).count() == 1


def test_losing_access_closes_the_ways_back(admin_user, clinic):
    second = factories.make_member(clinic, "admin", "second")
    for email, by in [
        ("backdoor@example.org", second),
        (second.email, admin_user),
        ("new@example.org", admin_user),
    ]:
        invitations.invite(clinic, email=email, role="admin", by=by)
    people.change_member(membership(second, clinic), is_active=False)
    assert [invitation.email for invitation in invitations.open_of(clinic)] == ["new@example.org"]


def test_outsiders_find_nothing(client_for, outsider, clinician, clinic):
    client = client_for(outsider)
    edit = url("member-edit", membership(clinician, clinic).pk)
    assert client.post(edit, {"role": "admin"}).status_code == 404
    assert "Clara" not in client.get(url("members")).content.decode()
    assert membership(clinician, clinic).role == "clinician"


@pytest.mark.parametrize("pk", [0, 999_999, 10**30])
def test_ids_of_nobody_are_not_found(client_for, admin_user, pk):
    assert client_for(admin_user).post(f"/clinic/members/{pk}/", {"role": "admin"}).status_code == 404


@each("role", [text for text in NASTY if text] + ["ADMIN", "owner"])
def test_roles_there_are_not_are_refused(client_for, admin_user, clinician, clinic, role):
    response = client_for(admin_user).post(
        url("member-edit", membership(clinician, clinic).pk), {"role": role, "is_active": role}
    )
    assert response.status_code == 302
    assert "roles in the list" in messages_of(response)
    assert membership(clinician, clinic).role == "clinician"
    assert membership(clinician, clinic).is_active


def test_wrong_methods(client_for, admin_user, clinician, clinic):
    client = client_for(admin_user)
    assert client.get(url("member-edit", membership(clinician, clinic).pk)).status_code == 405
    assert client.put(url("members")).status_code == 405


def test_clinics_get_short_names_of_their_own(db):
    slugs = [
        people.create_clinic(name).slug for name in ("Seoul Skin", "Seoul Skin", "서울 피부과", "제주 피부과")
    ]
    assert slugs == ["seoul-skin", "seoul-skin-2", "clinic", "clinic-2"]
    assert Clinic.objects.count() == 4
