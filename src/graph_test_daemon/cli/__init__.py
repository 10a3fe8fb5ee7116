"""Commands of the Graph's daemon besides those that every harness has."""
