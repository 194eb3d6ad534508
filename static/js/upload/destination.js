// Where photos of this page go: as the form says it when they are chosen, kept with each of them.

/** {lesion}, or of a known patient {lesion, patient, place} too; null while no place is chosen. */
export function destination(form) {
  const { patient, lesion, place_key, site, site_x, site_y } = form.elements;
  if (!patient) return { lesion: lesion?.value ?? "" };
  if (!lesion.value && !place_key.value) return null;
  return {
    lesion: lesion.value,
    patient: { id: patient.value, code: form.dataset.code },
    place: { place_key: place_key.value, site: site.value, site_x: site_x.value, site_y: site_y.value },
    where: form.dataset.where,
  };
}

/** The fields that tell the server. */
export function fieldsOf({ lesion, patient, place, owner }) {
  if (patient) return lesion ? { patient: patient.id, lesion } : { patient: patient.id, ...place };
  return lesion ? { lesion } : { clinic: owner.split(" ")[1] };
}

/** Whether the page shows what waits for this destination: of a patient's page, that patient's photos only. */
export function isShownHere(form, photo) {
  const { patient } = form.elements;
  return !patient || photo.patient?.id === patient.value;
}
