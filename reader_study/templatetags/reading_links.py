"""What a reader's browser calls things."""

from django import template

from skinclinic.services.secret_links import secret_hash

register = template.Library()


@register.filter
def kept_as(secret: str) -> str:
    """The name under which a browser keeps what belongs to a link; it does not lead to the link."""
    return secret_hash(secret)[:24]
