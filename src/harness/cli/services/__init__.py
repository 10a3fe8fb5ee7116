"""Commands about services and tasks as units; a file is imported when its command runs."""

__all__: list[str] = []
