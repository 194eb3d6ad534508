import pytest
from reader_study.services.results import replay
from skinclinic.engine import jobs
from tests.reader_study.made_study import made_study
from tests.reader_study.read_study import computed
from tests.skinclinic.pages import url
from dataclasses import replace
pytestmark = pytest.mark.django_db(transaction=True)
def test_shot(open_page, clinician, clinic, admin_user):
    t = made_study(n=160, readers=6, missing=.02)
    study = replay.create(clinic, admin_user, t, replay.Wishes("A", margin=.1, endpoints=("mm",)))
    computed(study)
    for w,dark,name,lang in ((1440,False,"desk","en"),(390,True,"phone","en")):
        page = open_page(clinician, url("study-results", study.pk), width=w, dark=dark) if False else open_page(clinician, url("study-results", study.pk))
        page.set_viewport_size({"width":w,"height":900})
        if dark: page.emulate_media(color_scheme="dark")
        for part in ("","-sessions","-disease","-agreement"):
            page.goto(page.url.split("/studies/")[0]+url("study-results"+part, study.pk)+("?key=bcc" if part=="-disease" else ""))
            if dark: page.evaluate("document.documentElement.dataset.bsTheme='dark'")
            page.screenshot(path=f"/tmp/shot-{name}{part}.png", full_page=True)
            print(part, w, page.evaluate("document.documentElement.scrollWidth"))
