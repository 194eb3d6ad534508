"""What views and the API show of the clinic's rows, between services and views."""
