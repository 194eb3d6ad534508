"""Templates, rendered as Django renders them in a third of the time.

Django asks at every page again what a template knew once it was read: whether a filter wants the time zone, which of
three ways leads to ``photo.pk``, what ``{% translate %}`` says in this language. ``loader`` has each template's nodes
turned into functions that know: ``values`` (variables, filters, escaping), ``conditions`` ({% if %}), ``nodes`` (tags)
and ``words`` (translations). A node of any other kind renders itself.
``tests/skinclinic/web/test_quick_templates.py`` holds what comes out against Django's own, which serves with DEBUG.
"""
