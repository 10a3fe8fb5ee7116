"""The programs started as services: each is run by itself, and only their data is imported."""
