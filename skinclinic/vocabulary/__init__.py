"""Words with a fixed meaning: the 12 diseases, their subtypes, sites of the body, and what people type for them."""
