"""What is put at random when maps are checked (see ``map_check``), each beside all before. No torch."""

LAST_LAYER, LAST_TENTH, ALL = "last_layer", "last_tenth", "all"
