from __future__ import annotations

from harness.client.starting import daemon_env


def test_a_daemon_inherits_what_programs_need_and_no_more():
    kept = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "LC_ALL": "C",
        "XDG_RUNTIME_DIR": "/run/user/1",
        "HARNESS_STATE_DIR": "/s",
        "DOCKER_HOST": "unix:///d",
        "SSH_AUTH_SOCK": "/a",
    }
    secret = {"AWS_SECRET_ACCESS_KEY": "x", "GITHUB_TOKEN": "y", "MY_PATH": "z"}
    assert daemon_env({**kept, **secret}) == kept
