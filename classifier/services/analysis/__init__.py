"""A photo's way to its answer, and what people say of it."""
