"""Every refusal a reader can meet, each written once: its code, words, HTTP status, and what follows from it.

The reading page reads from the answer itself what becomes of the answers that wait on the device; it keeps no
list of codes.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reader_study.models import Reading

# What becomes of answers that wait on the reader's device: this one is sent again; this one cannot be taken and
# the next is sent; none can be taken any more.
AGAIN, NEXT, OVER = "again", "next", "over"


@dataclass(frozen=True)
class Refusal:
    """``then``: what the device does with the answers that wait. ``ends``: the reader has nothing more to do here;
    after the others the study's first page says what is next. ``is_logged``: an answer that comes after it can no
    longer count, so that somebody may want to know."""

    words: str | Promise
    status: int = 409
    then: str = AGAIN
    ends: bool = False
    is_logged: bool = False


REFUSALS = {
    "link_closed": Refusal(
        _("This link does not work any more. Ask the study's coordinator for a new one."),
        404,
        OVER,
        ends=True,
    ),
    "withdrawn": Refusal(
        _("You no longer take part in this study, so nothing more can be answered."),
        403,
        OVER,
        ends=True,
        is_logged=True,
    ),
    "closed": Refusal(
        _("This study is closed. No more answers are taken."), then=OVER, ends=True, is_logged=True
    ),
    "not_open": Refusal(_("This study is not open yet."), 403, OVER, ends=True),
    "finished": Refusal(_("This session is finished; its answers are final."), then=OVER, is_logged=True),
    "not_begun": Refusal(_("This session has not been begun. Open the link of the study again."), then=OVER),
    "instructions": Refusal(_("Read and confirm the instructions first.")),
    "consent": Refusal(_("Read first what taking part means, and say whether you take part.")),
    "consent_changed": Refusal(_("The text was changed at this moment. Read it again.")),
    "told_too_late": Refusal(_("You have finished; what you said of yourself cannot change any more.")),
    "practice": Refusal(_("Pass the practice first.")),
    "practice_stuck": Refusal(
        _("The practice was not passed and no try is left. Write to the study's coordinator."), 403
    ),
    "no_choice": Refusal(_("Choose one of the answers."), 400),
    "earlier_session": Refusal(_("Finish the session before this one first."), 403),
    "washout": Refusal(_("This session is not open yet; the days since the one before are not over."), 403),
    "unanswered": Refusal(_("Not every photo is answered yet.")),
    "key_of_another": Refusal(
        _("The key of this answer belongs to another photo. Make a new one."), 400, NEXT
    ),
    "not_yet": Refusal(_("It is not this photo's turn yet."), 403, NEXT),
    "no_going_back": Refusal(_("In this study earlier photos cannot be opened again or changed."), 403, NEXT),
    "not_the_last": Refusal(_("Only the last answer can be taken back."), then=NEXT),
    "undo_too_late": Refusal(_("It is too late to take this answer back."), then=NEXT),
    "first_stands": Refusal(
        _("The first answer to this photo stands: the model's answer was shown after it."), then=NEXT
    ),
    "first_needed": Refusal(_("Give your own answer first; then the model's is shown."), then=NEXT),
    "changed_meanwhile": Refusal(_("This answer was changed elsewhere at the same moment. Send it again.")),
    "not_aided_first": Refusal(_("This session has no answer before the model's."), then=NEXT),
    "not_aided": Refusal(_("The model's answer is not shown in this session."), 403),
    "photo_gone": Refusal(
        _("This photo was taken out of the study: its patient no longer consents. Go on with the next one."),
        410,
    ),
    "no_photo": Refusal(
        _("There is no such photo, or it was deleted. Tell the study's coordinator."), 404, NEXT
    ),
}


class Refused(Exception):
    """The reader may not do this now. ``code`` is a key of ``REFUSALS``; ``reading`` whose it is."""

    def __init__(self, code: str, reading: Reading | None = None):
        super().__init__(code)
        self.code, self.reading, self.refusal = code, reading, REFUSALS[code]
