"""What views, the API and reader studies show of an analysis or a model."""
