"""Programs that go into the background by themselves, kept by the harness."""
