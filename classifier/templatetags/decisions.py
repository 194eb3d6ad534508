"""Decisions in the words of pages."""

from django import template

from classifier.presenters.decisions import told

register = template.Library()
register.filter("decision_told", told)
