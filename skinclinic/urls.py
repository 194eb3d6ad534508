"""Every address of the product, by app."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from skinclinic.views import (
    accounts,
    alignment,
    clinic_settings,
    diagnosis_terms,
    engine,
    filing,
    lesions,
    members,
    pathology,
    patients,
    photo_files,
    plans,
    sizes,
    work,
    worklist,
)

urlpatterns = [
    path("healthz", engine.healthz, name="healthz"),
    path("engine/", engine.status, name="engine-status"),
    path("work/<slug:kind>/<int:pk>/", work.work, name="work"),
    # Also for people who are not signed in yet.
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path("login/", accounts.SignIn.as_view(), name="login"),
    path("logout/", accounts.SignOut.as_view(), name="logout"),
    path("session/", accounts.session_state, name="session"),
    path("account/", accounts.account, name="account"),
    path("account/password/", accounts.ChangePassword.as_view(), name="password-change"),
    path("account/password/changed/", accounts.PasswordChanged.as_view(), name="password-changed"),
    path("account/token/", accounts.token_create, name="token-create"),
    path("account/token/revoke/", accounts.token_revoke, name="token-revoke"),
    path("clinic/switch/", accounts.switch_clinic, name="switch-clinic"),
    path("clinic/settings/", clinic_settings.clinic_settings, name="clinic-settings"),
    path("clinic/members/", members.members, name="members"),
    path("clinic/members/<int:pk>/", members.member_edit, name="member-edit"),
    path("clinic/invitations/<int:pk>/revoke/", members.invitation_revoke, name="invitation-revoke"),
    path("clinic/invitations/<int:pk>/mail/", members.invitation_mail, name="invitation-mail"),
    path("join/<str:secret>/", members.join, name="join"),
    path("", worklist.worklist, name="worklist"),
    path("worklist/rows/", worklist.worklist_rows, name="worklist-rows"),
    path("worklist/next/", worklist.worklist_next, name="worklist-next"),
    path("patients/", patients.patients, name="patients"),
    path("patients/new/", patients.patient_new, name="patient-new"),
    path("patients/<int:pk>/", patients.patient, name="patient"),
    path("patients/<int:pk>/edit/", patients.patient_edit, name="patient-edit"),
    path("patients/<int:pk>/lesions/new/", lesions.lesion_new, name="lesion-new"),
    path("lesions/<int:pk>/", lesions.lesion, name="lesion"),
    path("lesions/<int:pk>/edit/", lesions.lesion_edit, name="lesion-edit"),
    path("lesions/<int:pk>/delete/", lesions.lesion_delete, name="lesion-delete"),
    path("lesions/<int:pk>/alignment/", alignment.lesion_alignment, name="lesion-alignment"),
    path("lesions/<int:pk>/sizes/", sizes.lesion_size, name="lesion-size"),
    path("sizes/<int:pk>/withdraw/", sizes.size_withdraw, name="size-withdraw"),
    path("photos/<int:pk>/size/", sizes.photo_size, name="photo-size"),
    path("lesions/<int:pk>/pathology/", pathology.lesion_pathology, name="lesion-pathology"),
    path("lesions/<int:pk>/follow-up/", plans.follow_up, name="lesion-follow-up"),
    path("lesions/<int:pk>/biopsy/", plans.biopsy, name="lesion-biopsy"),
    path("lesions/<int:pk>/assign/", plans.assign, name="lesion-assign"),
    path("follow-ups/<int:pk>/finish/", plans.follow_up_finish, name="follow-up-finish"),
    path("follow-ups/<int:pk>/undo/", plans.follow_up_undo, name="follow-up-undo"),
    path("biopsies/<int:pk>/finish/", plans.biopsy_finish, name="biopsy-finish"),
    path("biopsies/<int:pk>/undo/", plans.biopsy_undo, name="biopsy-undo"),
    path("diagnoses/<int:pk>/withdraw/", pathology.diagnosis_withdraw, name="diagnosis-withdraw"),
    path("filing/", filing.photo_filing, name="filing"),
    path("filing/undo/", filing.filing_undo, name="filing-undo"),
    path("photos/<int:pk>/filing/", filing.photo_filing, name="photo-filing"),
    path("photos/<int:pk>/filing/patient/", filing.photo_filing_patient, name="photo-filing-patient"),
    path("photos/<int:pk>/filing/codes/", filing.patient_codes_like, name="photo-filing-codes"),
    path("diagnosis-terms/", diagnosis_terms.diagnosis_terms, name="diagnosis-terms"),
    path("photos/<int:pk>/image", photo_files.image, name="photo-image"),
    path("photos/<int:pk>/thumbnail", photo_files.thumbnail, name="photo-thumbnail"),
    path("photos/<int:pk>/delete/", photo_files.delete, name="photo-delete"),
    path("archive/", include("skinclinic.archive.urls")),
    path("api/", include("skinclinic.api.urls")),
    path("", include("classifier.urls")),
    path("", include("reader_study.urls")),
]

handler400 = "skinclinic.web.errors.bad_request"
handler403 = "skinclinic.web.errors.forbidden"
handler404 = "skinclinic.web.errors.not_found"
handler500 = "skinclinic.web.errors.server_error"
