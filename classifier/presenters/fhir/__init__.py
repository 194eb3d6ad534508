"""Rows as FHIR resources, as one person may see them. Archived rows, nobody's patients here, are none of them.

``skinclinic/fhir`` has what resources are made of; ``docs/fhir.md`` says which there are and what stands in them.
"""
