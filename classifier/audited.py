"""What of photos, answers, reports and evaluations is written down when it is looked at or fetched."""

from skinclinic.web.looks import fetched, register, view

PHOTO, HEATMAP, SIMILAR = view("photo.view"), view("heatmap.view"), view("photo.similar")
REPORT = fetched("report.print", of_care=True)
register(
    {
        "photo": PHOTO, "analysis": PHOTO, "photo-crop": PHOTO, "photo-cover": PHOTO, "photo-square": PHOTO,
        "analysis-maps": HEATMAP, "explanation-maps": HEATMAP, "analysis-report": REPORT, "analysis-panels": REPORT,
        "analysis-similar": SIMILAR, "analysis-dicom": fetched("photo.dicom", of_care=True),
        "lesion-report": fetched("report.print", methods=("POST",), of_care=True),
        "patient-report": fetched("report.print", methods=("POST",), of_care=True),
        "patient-letter": view("patient.view"), "letter": fetched("letter.print", of_care=True),
        # By the link of a second opinion.
        "opinion": view("opinion.view"), "opinion-photo": view("opinion.photo", of="skinclinic.photo"),
        "opinion-heatmap": view("opinion.photo", of="skinclinic.photo"),
        "evaluation-gallery": view("evaluation.photos"), "evaluation-heatmap": view("evaluation.photos"),
        "evaluation-heatmaps": view("evaluation.photos"),
        "evaluation-download": fetched("evaluation.fetch", "what", "kinds"),
        "evaluation-figure": fetched("evaluation.fetch", "kind"),
        "monitor-figure": fetched("monitor.fetch", "kind"),
        "monitor-download": fetched("monitor.fetch", "what", "kinds"),
        "api-analysis-detail": PHOTO, "api-analysis-maps": HEATMAP, "api-assessment-detail": PHOTO,
        "api-explanation-maps": HEATMAP, "api-explanation-detail": HEATMAP, "api-analysis-explanations": HEATMAP,
        "api-analysis-assessment": PHOTO, "api-photo-crop": PHOTO, "api-analysis-square": PHOTO,
        "api-analysis-heatmap": HEATMAP, "api-analysis-panels": REPORT, "api-analysis-report": REPORT,
        "api-analysis-similar": SIMILAR,
        "api-analysis-dicom": fetched("photo.dicom"), "api-photo-dicom": fetched("photo.dicom"),
        "api-analysis-list": fetched("list.fetch", "page_size", "cursor"),
        "api-assessment-list": fetched("list.fetch", "page_size", "cursor"),
    }
)  # fmt: skip
