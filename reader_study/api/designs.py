"""How a study's reading is shared out, as the API takes and gives it."""

from rest_framework import serializers

from reader_study.models import StudyDesign
from reader_study.services.making.designs import MOST_BLOCKS
from skinclinic.api import strict


class DesignSerializer(strict.ModelSerializer):
    """``blocks_a_reader`` of ``blocks``; ``repeats``: photos of each block that come a second time."""

    blocks = serializers.IntegerField(default=1, min_value=1, max_value=MOST_BLOCKS)
    blocks_a_reader = serializers.IntegerField(default=1, min_value=1, max_value=MOST_BLOCKS)
    repeats = serializers.IntegerField(default=0, min_value=0, max_value=5000)

    class Meta:
        model = StudyDesign
        fields = ["arms", "blocks", "blocks_a_reader", "repeats"]
