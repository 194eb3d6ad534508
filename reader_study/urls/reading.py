"""What a reader sees; the secret in the address is all the access there is. Photos are named by their position in
the reader's own order, never by an id."""

from django.urls import path

from reader_study.views import own_results, reading, reading_answers, reading_photos, taking_part

_SESSION = "<str:secret>/<slug:session>/"
_PHOTO, _PRACTICE = f"{_SESSION}photo/<int:position>", f"{_SESSION}practice/<int:position>"

urlpatterns = [
    path("<str:secret>/", reading.entry, name="reading"),
    path("<str:secret>/keys", reading.keys, name="reading-keys"),
    path("<str:secret>/language", reading.language, name="reading-language"),
    path("<str:secret>/consent", taking_part.consent, name="reading-consent"),
    path("<str:secret>/leave", taking_part.leave, name="reading-leave"),
    path("<str:secret>/about", taking_part.about, name="reading-about"),
    path("<str:secret>/result", own_results.result, name="reading-result"),
    path("<str:secret>/certificate", own_results.certificate, name="reading-certificate"),
    path(_SESSION, reading.read, name="reading-session"),
    path(f"{_SESSION}begin", reading.begin, name="reading-begin"),
    path(f"{_SESSION}practice/", reading.practise, name="reading-practice"),
    path(f"{_SESSION}state", reading_answers.state, name="reading-state"),
    path(f"{_SESSION}finish", reading_answers.finish, name="reading-finish"),
    path(_PHOTO, reading_photos.photo, name="reading-photo"),
    path(f"{_PHOTO}/answer", reading_answers.answer, name="reading-answer"),
    path(f"{_PHOTO}/model", reading_photos.model, name="reading-model"),
    path(f"{_PHOTO}/maps", reading_photos.maps, name="reading-maps"),
    path(_PRACTICE, reading_photos.practice_photo, name="reading-practice-photo"),
    path(f"{_PRACTICE}/answer", reading_answers.practice_answer, name="reading-practice-answer"),
    path(f"{_PRACTICE}/model", reading_photos.practice_model, name="reading-practice-model"),
    path(f"{_PRACTICE}/maps", reading_photos.practice_maps, name="reading-practice-maps"),
]
