"""What views and the API show of a study, its readers and what a reader may know."""
