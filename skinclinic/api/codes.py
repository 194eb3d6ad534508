"""Every ``code`` of an error, by status, and what it means, as the schema and docs/api.md tell it."""

CODES: dict[int, dict[str, str]] = {
    400: {
        "invalid": "`fields` says what is wrong with each field; also fields that there are none of",
        "parse_error": "the body is no JSON object, or no form",
        "bad_key": "no usable `Idempotency-Key`",
        "no_such_thresholds": "thresholds of another name",
        "not_a_change": "the changed diagnosis is the impression",
        "not_so": "a decision that says what is not so",
        "wrong_password": "user name and password do not fit",
        "infected": "a virus scanner found something in the file",
        "and of photos, squares, covers and models": "why a file or a square is refused, such as `unsupported` or "
        "`too_many_pixels`",
    },
    401: {
        "not_authenticated": "nobody is signed in and no token was sent",
        "not_a_token": "another kind of `Authorization`",
        "token_unknown": "no such token",
        "token_revoked": "it was revoked",
        "token_expired": "it has expired",
        "sign_in_first": "its owner has to sign in at the hospital's provider again",
    },
    403: {
        "permission_denied": "the role does not allow it",
        "token_read_only": "the token may only read",
        "confirm_needed": "sessions only: a password of the last minutes is needed",
        "second_factor_needed": "a password alone does not do",
    },
    404: {
        "not_found": "no such row, or none that you may know of; no such page of a list",
        "does_not_run": "the model was removed again because it does not run",
    },
    405: {"method_not_allowed": "this address is not asked in this way"},
    409: {
        "changed": "somebody has changed it meanwhile; `current` is how it stands",
        "changed_meanwhile": "the decision has changed since",
        "impression_first": "your own impression comes first",
        "not_analysed": "there is no answer yet",
        "not_given_up": "only a message that was given up is sent again",
        "not_failed": "only what has failed is tried again",
        "cannot_explain": "this answer cannot be explained in this way; the message says why",
        "not_explained": "the explanation is not computed yet",
        "not_made": "the files are not made yet, or are there no more",
        "not_busy": "it is over already, and cannot be stopped",
        "not_stopped": "it was not stopped, and cannot be taken up again",
        "no_model": "the clinic has no model",
        "recorded": "it is recorded already",
        "withdrawn": "it is withdrawn already",
        "ended": "it lies in the bin no more",
        "closed": "the invitation is used, revoked or expired",
        "last_admin": "a clinic keeps an admin",
        "lesion": "the photo is here already, in another lesion",
        "patient_code": "the lesion, or the photo that is here already, is another patient's",
        "site": "the lesion lies at another site",
        "gone": "the lesion or the patient was removed meanwhile",
        "photo_gone": "the photo of this `Idempotency-Key` was deleted since",
        "at_work": "the request of this `Idempotency-Key` is being worked on",
        "photo_unreadable": "the stored file cannot be read",
        "not_now": "an open study shows it, or the like; the message says what",
        "in_use": "this model is in use already",
        "nothing_before": "there is no model to go back to",
        "blinded": "the study is not closed",
        "not_computed": "the results are not computed yet",
        "draft": "the study has not been opened",
        "refused": "a service will not do it; the message says why (or a field's name as the code)",
    },
    412: {"changed": "changed since `If-Match`; `current` and `fields` tell both versions"},
    413: {"too_large": "the body or the file is too large"},
    415: {"unsupported_media_type": "a body of a kind that is not understood"},
    422: {
        "key_reused": "the `Idempotency-Key` came before with another body",
        "group": "the study has no such group",
    },
    429: {"too_many": "too many photos in an hour", "locked": "too many wrong passwords"},
    503: {
        "busy": "more photos come than can be looked at",
        "quota": "the clinic keeps as much as it may",
        "storage_away": "the storage of the photos does not answer",
        "not_scanned": "the virus scanner does not answer",
        "no_model": "the try page has no model yet",
        "database_unavailable": "the database is away for a moment",
    },
    507: {"storage_full": "the server's disk is full; nothing was stored"},
}


def told(status: int) -> str:
    """The codes of a status, for the schema."""
    said = "; ".join(f"`{code}`: {meaning}" for code, meaning in CODES[status].items())
    return f" Codes: {said}."
