"""What of photos, answers, reports and evaluations is written down when it is looked at or fetched."""

from skinclinic.web.looks import fetched, register, view

PHOTO, HEATMAP, SIMILAR = view("photo.view"), view("heatmap.view"), view("photo.similar")
REPORT = fetched("report.print", of_care=True)
register(
    {
        "photo": PHOTO, "analysis": PHOTO, "photo-crop": PHOTO, "photo-cover": PHOTO, "photo-square": PHOTO,
        "photo-suggested-squares": PHOTO, "api-photo-suggested-squares": PHOTO,
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
        "api-fhir-patient-read": view("patient.view"), "api-fhir-bodystructure-read": view("lesion.view"),
        "api-fhir-media-read": PHOTO, "api-fhir-diagnosticreport-read": PHOTO, "api-fhir-provenance-read": PHOTO,
        "api-fhir-score-read": PHOTO, "api-fhir-pathology-read": view("diagnosis.view"),
        "api-fhir-photo-file": view("photo.open"), "api-fhir-heatmap-file": HEATMAP, "api-fhir-report-file": REPORT,
        "api-fhir-everything": fetched("lesion.export", of_care=True),
        "lesion-fhir": fetched("lesion.export", of_care=True),
        **{
            f"api-fhir-{name}": fetched("list.fetch", "_count", "cursor", "_include", "_revinclude")
            for name in ("patient", "bodystructure", "media", "diagnosticreport", "provenance", "observation")
        },
        "api-analysis-dicom": fetched("photo.dicom"), "api-photo-dicom": fetched("photo.dicom"),
        "api-analysis-list": fetched("list.fetch", "page_size", "cursor"),
        "api-assessment-list": fetched("list.fetch", "page_size", "cursor"),
    }
)  # fmt: skip
