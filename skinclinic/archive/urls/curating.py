from django.urls import path

from skinclinic.archive.views import (
    bulk,
    dates,
    entries,
    gallery,
    label_terms,
    opinions,
    review,
    sources,
    vocabulary,
)

urlpatterns = [
    path("", gallery.gallery, name="archive"),
    path("dates/", dates.date_tree, name="archive-dates"),
    path("labels/", label_terms.label_terms, name="archive-labels"),
    path("photos/<int:pk>/", entries.entry, name="archive-entry"),
    path("photos/<int:pk>/tag/", entries.tag, name="archive-entry-tag"),
    path("bulk/", bulk.bulk_changes, name="archive-bulk"),
    path("bulk/count/", bulk.count, name="archive-bulk-count"),
    path("bulk/<int:pk>/", bulk.receipt, name="archive-bulk-row"),
    path("bulk/<int:pk>/undo/", bulk.undo, name="archive-bulk-undo"),
    path("second/", opinions.waiting, name="archive-second"),
    path("second/<int:pk>/", opinions.give, name="archive-second-give"),
    path("second/differing/", opinions.differing, name="archive-second-differing"),
    path("second/<int:pk>/settle/", opinions.settle, name="archive-second-settle"),
    path("changes/<int:pk>/undo/", entries.undo, name="archive-change-undo"),
    path("review/", review.queue, name="review"),
    path("review/decide/", review.decide, name="review-decide"),
    path("review/<int:pk>/label/", review.relabel, name="review-label"),
    path("review/<int:pk>/undo/", review.undo, name="review-undo"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<int:pk>/", sources.source, name="source"),
    path("vocabulary/", vocabulary.vocabulary, name="vocabulary"),
    path("vocabulary/background/<int:pk>/remove/", vocabulary.background_remove, name="background-remove"),
    path("vocabulary/subtypes/<int:pk>/remove/", vocabulary.subtype_remove, name="subtype-remove"),
]
