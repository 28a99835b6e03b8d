"""Replicas as an operator names them: what is no address is said at once, and who is no replica before the run."""

import pytest
from small_server import SmallServer, served

from oauth_litmus.command.reported_run import run_and_report
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options
from oauth_litmus.target.profile import Profile
from oauth_litmus.target.replica_origins import need_two, replica_origin

NO_SERVER = "http://127.0.0.1:1"
USAGE = 2


def run_with(capsys, server: SmallServer, *replicas: str, only: str = "REPLICA-01") -> tuple[int, str]:
    options = Options(server.issuer, Profile(replicas=replicas), selection=Selection(only=(only,)))
    return run_and_report(options), capsys.readouterr().err


@pytest.mark.parametrize("written", ["http://10.0.0.7:8080", "http://10.0.0.7:8080/", " HTTP://10.0.0.7:8080 "])
def test_a_replica_is_written_as_its_origin(written):
    assert replica_origin(written) == "http://10.0.0.7:8080"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("10.0.0.7:8080", "write the URL of one instance"),
        ("pod-1", "'pod-1' is not the URL of a replica"),
        ("ftp://10.0.0.7", "write the URL of one instance"),
        ("http://[::1", "is not a URL"),
        ("http://10.0.0.7:99999", "is not a URL"),
        ("http://10.0.0.7:8080/tenant", "write http://10.0.0.7:8080, because requests keep the path"),
        ("http://10.0.0.7:8080?pod=1", "write http://10.0.0.7:8080"),
        ("http://me:secret@10.0.0.7", "secret_headers"),
    ],
)
def test_what_is_no_address_is_said_with_what_to_write(written, words):
    with pytest.raises(ValueError) as refused:
        replica_origin(written)

    assert words in str(refused.value)
    assert "me:secret" not in str(refused.value)


@pytest.mark.parametrize("origins", [["http://a"], ["http://a", "http://a"]])
def test_one_replica_alone_is_not_enough(origins):
    with pytest.raises(ValueError, match="a comparison needs two replicas, and http://a is only one"):
        need_two(origins)


@pytest.mark.sockets
def test_a_replica_that_does_not_answer_is_said_before_the_run(capsys):
    with served(SmallServer()) as server:
        status, said = run_with(capsys, server, server.issuer, NO_SERVER)

    assert status == USAGE
    assert f"the replica {NO_SERVER} does not answer for {server.issuer}" in said
    assert "Connection refused" in said
    assert not server.clients


@pytest.mark.sockets
def test_a_replica_of_another_server_is_said_before_the_run(capsys):
    with served(SmallServer()) as server, served(SmallServer()) as stranger:
        status, said = run_with(capsys, server, server.issuer, stranger.issuer)

    assert status == USAGE
    assert f"it names the issuer {stranger.issuer}" in said
    assert not server.clients


@pytest.mark.sockets
def test_every_replica_that_is_none_is_named(capsys):
    with served(SmallServer()) as server, served(SmallServer()) as stranger:
        _, said = run_with(capsys, server, NO_SERVER, stranger.issuer)

    assert f"the replica {NO_SERVER} " in said
    assert f"the replica {stranger.issuer} " in said


@pytest.mark.sockets
def test_silent_replicas_do_not_matter_to_a_run_without_checks_of_replicas(capsys):
    with served(SmallServer()) as server:
        status, said = run_with(capsys, server, server.issuer, NO_SERVER, only="META-01")

    assert status != USAGE, said


@pytest.mark.sockets
def test_replicas_that_answer_are_judged(capsys):
    with served(SmallServer()) as server:
        status, said = run_with(capsys, server, server.issuer, server.issuer.replace("127.0.0.1", "localhost"))

    assert status == 0, said
