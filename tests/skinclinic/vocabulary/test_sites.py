"""Sites lie in wider ones; skin types may be a range."""

from skinclinic.vocabulary import sites, skin_types


def test_a_wider_site_holds_the_narrower_ones():
    assert {"nose", "lip", "face", "scalp"} <= sites.within("head_neck")
    assert "scalp" not in sites.within("face")
    assert sites.within("nose") == {"nose"}
    assert sites.within("palm_or_sole") == {"palm_or_sole", "palm", "sole"}


def test_every_part_of_a_wider_site_is_known():
    for key, _label in sites.WIDER_SITES:
        assert sites.within(key) <= set(dict(sites.SITES))


def test_a_range_of_skin_types_is_named_as_one():
    assert [skin_types.name(value) for value in (None, 1, 6, 12, 56)] == ["", "I", "VI", "I–II", "V–VI"]
    assert len(set(skin_types.SKIN_TYPES)) == 6 + 15
