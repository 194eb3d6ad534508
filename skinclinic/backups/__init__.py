"""A folder of backups: objects named by their content, each stored once, and a list of them for each run. Pure."""
