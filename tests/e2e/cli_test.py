"""The command line, as a user has it: the real binary (GANGLION_BINARY), its exit codes, what it prints and where.

Agents that must be caught at work read from a FIFO: they stand still until the test writes to it, and nothing sleeps.
"""

import contextlib
import json
import os
import pty
import re
import signal
import struct
import subprocess
import fcntl
import termios
import threading
import time
from xml.etree import ElementTree

import pytest

BINARY = os.environ["GANGLION_BINARY"]
DEADLINE = 60  # seconds, of anything

GATED = """\
ganglion: 1
agents:
  gate: {kind: process, command: [cat, gate], timeout: 5m}
workflows:
  gated:
    steps:
      wait: {agent: gate}
      end: {transform: "${{ steps.wait.output }}"}
    output: "${{ steps.end.output }}"
"""

FRAGILE = """\
ganglion: 1
agents:
  reader: {kind: process, command: [cat, answer.json], retry: {max_attempts: 1}}
workflows:
  fragile:
    steps:
      before: {transform: "${{ 1 + 1 }}"}
      read: {agent: reader, input: "${{ steps.before.output }}"}
    output: "${{ steps.read.output }}"
"""


RELEASE = """\
ganglion: 1
agents:
  person: {kind: human, by: [carol]}
workflows:
  release:
    steps:
      sign_off: {approve: {by: [alice, bob], show: {tag: "${{ input.tag }}"}}}
      ship: {transform: "${{ steps.sign_off.output.by }} ships ${{ input.tag }}", needs: [sign_off]}
    output: "${{ steps.ship.output }}"
  label:
    steps:
      ask: {agent: person, input: "${{ input.text }}"}
    output: "${{ steps.ask.output }}"
  labels:
    steps:
      ask: {for_each: "${{ input.texts }}", agent: person, input: "${{ item }}"}
    output: "${{ steps.ask.output }}"
  await:
    steps:
      go: {wait_for: {event: go}}
    output: "${{ steps.go.output.data }}"
  outer:
    steps:
      inner: {workflow: await, input: {}}
    output: "${{ steps.inner.output }}"
"""


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GANGLION_") and k != "NO_COLOR"}
    return env | more


def ganglion(*args, cwd, stdin="", **env):
    return subprocess.run(
        [BINARY, *args], cwd=cwd, env=environment(**env), input=stdin, capture_output=True, text=True, timeout=DEADLINE
    )


def succeed(*args, cwd, **env):
    done = ganglion(*args, cwd=cwd, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Running:
    """A command under way. Reads its standard error line by line; ends with the test."""

    def __init__(self, *args, cwd, **env):
        self.process = subprocess.Popen(
            [BINARY, *args], cwd=cwd, env=environment(**env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines = []

    def line_with(self, text):
        """The next line of standard error that contains the text."""
        watchdog = threading.Timer(DEADLINE, self.process.kill)
        watchdog.start()
        try:
            for line in self.process.stderr:
                self.lines.append(line)
                if text in line:
                    return line
        finally:
            watchdog.cancel()
        raise AssertionError(f"no line with {text!r} in:\n{''.join(self.lines)}")

    def output_line(self):
        """The next line of standard output."""
        watchdog = threading.Timer(DEADLINE, self.process.kill)
        watchdog.start()
        try:
            return self.process.stdout.readline()
        finally:
            watchdog.cancel()

    def end(self):
        output, errors = self.process.communicate(timeout=DEADLINE)
        self.lines += errors.splitlines(keepends=True)
        return self.process.returncode, output

    @property
    def errors(self):
        return "".join(self.lines)


@contextlib.contextmanager
def running(*args, cwd, **env):
    command = Running(*args, cwd=cwd, **env)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.communicate()


@contextlib.contextmanager
def server(cwd, *args, **env):
    with running("serve", "--listen", "127.0.0.1:0", *args, cwd=cwd, **env) as serving:
        serving.url = re.fullmatch(r"ganglion: listening on (http://127\.0\.0\.1:\d+)\n", serving.line_with("listening"))[1]
        yield serving


@pytest.fixture
def demo(tmp_path):
    succeed("init", cwd=tmp_path)
    return tmp_path


@pytest.fixture
def gated(tmp_path):
    (tmp_path / "ganglion.yaml").write_text(GATED)
    os.mkfifo(tmp_path / "gate")
    return tmp_path


@pytest.fixture
def fragile(tmp_path):
    (tmp_path / "ganglion.yaml").write_text(FRAGILE)
    return tmp_path


def open_gate(directory, answer):
    (directory / "gate").write_text(answer)  # blocks until the agent reads


def run_ids(cwd):
    return [run["id"] for run in json.loads(succeed("runs", "list", "--json", cwd=cwd))]


# --- a new project ------------------------------------------------------------------------------------------------------


def test_a_new_project_runs_at_once(tmp_path):
    made = succeed("init", "demo", cwd=tmp_path)
    assert "ganglion run word-count" in made
    done = ganglion("run", "word-count", cwd=tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["texts"] == 2
    assert re.search(r"^\+\d+\.\d{3}s  count\[1\]  completed  \(\S+\)$", done.stderr, re.M), done.stderr


def test_init_overwrites_nothing(demo):
    (demo / "agents.py").write_text("mine")
    again = ganglion("init", cwd=demo)
    assert again.returncode == 2
    assert (demo / "agents.py").read_text() == "mine"


def test_validate_accepts_and_draws_the_new_project(demo):
    assert "valid" in succeed("validate", cwd=demo)
    assert "report" in succeed("validate", "--graph", cwd=demo)
    assert json.loads(succeed("validate", "--json", cwd=demo))["valid"] is True


def test_validate_shows_what_is_declared_and_not_what_is_made_of_it(tmp_path):
    agents = "scanner: {kind: worker, subscribes: [file.*], publishes: [alert]}, triage: {kind: worker, subscribes: [alert]}, idle: {kind: worker}"
    (tmp_path / "ganglion.yaml").write_text(f"ganglion: 1\nagents: {{{agents}}}\n")
    assert succeed("validate", cwd=tmp_path) == "ganglion.yaml: valid; 0 workflows, 3 agents; 2 agents react to events\n"
    assert json.loads(succeed("validate", "--json", cwd=tmp_path))["workflows"] == []
    assert succeed("validate", "--graph", cwd=tmp_path) == (
        "agents that react to events\n\nscanner  ← file.*  → alert\ntriage   ← alert\n"
    )


def test_validate_tells_every_error_with_its_place(tmp_path):
    (tmp_path / "bad.yaml").write_text("ganglion: 1\nworkflows:\n  w:\n    steps:\n      a: {agent: nobody}\n      b: {agnt: x}\n")
    text = ganglion("validate", "bad.yaml", cwd=tmp_path)
    assert text.returncode == 2
    assert re.search(r"^bad\.yaml:5:\d+: .*nobody", text.stderr, re.M), text.stderr
    assert re.search(r"^bad\.yaml:6:\d+: .*agnt", text.stderr, re.M), text.stderr
    as_json = ganglion("validate", "bad.yaml", "--json", cwd=tmp_path)
    assert as_json.returncode == 2
    assert {error["line"] for error in json.loads(as_json.stdout)["errors"]} == {5, 6}


# --- run ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["argument", "file", "stdin"])
def test_input_comes_as_an_argument_a_file_or_standard_input(demo, how):
    text = '{"texts": ["to be or not to be"]}'
    (demo / "in.json").write_text(text)
    argument = {"argument": text, "file": "@in.json", "stdin": "-"}[how]
    done = ganglion("run", "word-count", "--input", argument, cwd=demo, stdin=text)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["words"] == 6


def test_input_that_does_not_fit_is_told_with_its_path(demo):
    done = ganglion("run", "word-count", "--input", '{"texts": [1]}', cwd=demo)
    assert done.returncode == 2
    assert "texts/0" in done.stderr and done.stdout == ""


def test_input_that_is_not_json_is_refused_before_anything_happens(demo):
    done = ganglion("run", "word-count", "--input", "{texts: 1}", cwd=demo)
    assert done.returncode == 2
    assert "--input is not JSON" in done.stderr
    assert not (demo / ".ganglion").exists()


def test_an_unknown_workflow_gets_a_suggestion(demo):
    done = ganglion("run", "word-cuont", cwd=demo)
    assert done.returncode == 2
    assert 'did you mean "word-count"?' in done.stderr


def test_json_prints_the_whole_run_and_no_progress(demo):
    done = ganglion("run", "word-count", "--json", "--label", "a=b", "--session", "s1", cwd=demo)
    run = json.loads(done.stdout)
    assert (run["status"], run["session_id"], run["labels"]) == ("completed", "s1", {"a": "b"})
    assert done.stderr == ""
    assert [r["id"] for r in json.loads(succeed("runs", "list", "--label", "a=b", "--json", cwd=demo))] == [run["id"]]
    assert json.loads(succeed("runs", "list", "--label", "a=c", "--json", cwd=demo)) == []


def test_a_failed_run_exits_1_and_goes_on_after_a_retry(fragile):
    failed = ganglion("run", "fragile", cwd=fragile)
    assert failed.returncode == 1
    assert failed.stdout == ""
    [run] = run_ids(fragile)
    assert f"ganglion runs retry {run}" in failed.stderr
    assert ganglion("resume", run, cwd=fragile).returncode == 1, "it has failed, until it is retried"

    (fragile / "answer.json").write_text('"at last"')
    assert "running" in succeed("runs", "retry", run, cwd=fragile)
    assert succeed("resume", run, cwd=fragile) == '"at last"\n'
    assert succeed("resume", run, cwd=fragile) == '"at last"\n', "a run that is done still tells its output"


def test_on_a_terminal_the_tree_of_steps_is_drawn_in_place(demo):
    def screen(**env):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        child = subprocess.Popen(
            [BINARY, "run", "word-count"], cwd=demo, env=environment(TERM="xterm", LC_ALL="C.UTF-8", **env),
            stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        output, _ = child.communicate(timeout=DEADLINE)
        assert child.returncode == 0 and json.loads(output)["texts"] == 2
        return shown.decode()

    coloured, plain = screen(), screen(NO_COLOR="1")
    assert "\x1b[32m✓" in coloured
    assert re.search(r"├─ ✓ count   completed +\S+  2/2\x1b\[K", plain), plain
    assert not re.search(r"\x1b\[\d*m", plain)
    widths = [len(re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", line)) for line in plain.replace("\r", "").split("\n")]
    assert max(widths) <= 60


# --- interruptions -------------------------------------------------------------------------------------------------------


def test_after_ctrl_c_the_run_goes_on_with_resume(gated):
    with running("run", "gated", cwd=gated) as first:
        first.line_with("attempt 1 for agent gate")
        first.process.send_signal(signal.SIGINT)
        code, output = first.end()
    assert (code, output) == (130, "")
    [run] = run_ids(gated)
    assert f"ganglion resume {run}" in first.errors

    with running("resume", run, cwd=gated) as second:
        second.line_with("attempt 1 for agent gate")
        open_gate(gated, '"through"')
        assert second.end() == (0, '"through"\n')


def test_a_client_that_leaves_a_server_says_that_the_run_goes_on(gated):
    with server(gated) as serving, running("run", "gated", "--server", serving.url, cwd=gated) as client:
        client.line_with("attempt 1 for agent gate")
        client.process.send_signal(signal.SIGINT)
        assert client.end()[0] == 130
        assert f"goes on at {serving.url}" in client.errors
        [run] = run_ids(gated)
        with running("resume", run, "--server", serving.url, cwd=gated) as again:
            again.line_with("run started")
            open_gate(gated, "7")
            assert again.end() == (0, "7\n")


def test_when_the_holder_of_the_store_dies_the_run_goes_on_here(gated):
    with server(gated) as serving, running("run", "gated", cwd=gated) as client:
        client.line_with("attempt 1 for agent gate")
        # The server's agent dies with it, but perhaps a moment later: an answer could still reach it and be lost. So the
        # engine to come gets a gate that only its own agent has opened, and the client sees nothing before that is there.
        client.process.send_signal(signal.SIGSTOP)
        serving.process.send_signal(signal.SIGKILL)
        serving.process.wait(DEADLINE)
        (gated / "gate").unlink()
        os.mkfifo(gated / "gate")
        client.process.send_signal(signal.SIGCONT)
        client.line_with("trying again")
        open_gate(gated, "8")
        assert client.end() == (0, "8\n")


# --- serve -----------------------------------------------------------------------------------------------------------------


def test_a_server_runs_what_clients_submit_and_stops_on_sigterm(demo, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with server(demo) as serving:
        assert json.loads(succeed("run", "word-count", "--server", serving.url, cwd=elsewhere))["texts"] == 2
        run = succeed("run", "word-count", "--detach", cwd=elsewhere, GANGLION_SERVER=serving.url).strip()
        assert json.loads(succeed("resume", run, cwd=elsewhere, GANGLION_SERVER=serving.url))["texts"] == 2
        assert run in run_ids(demo), "beside the server its store is asked through it"
        serving.process.send_signal(signal.SIGTERM)
        assert serving.end()[0] == 0
    assert run in run_ids(demo), "what it did is in the store"


def test_run_with_a_file_gives_the_server_that_project(demo, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "other.yaml").write_text('ganglion: 1\nworkflows: {w: {steps: {a: {transform: "${{ input.n + 1 }}"}}}}\n')
    with server(demo) as serving:
        output = succeed("run", "w", "-f", "other.yaml", "--input", '{"n": 2}', "--server", serving.url, cwd=elsewhere)
        assert json.loads(output) == {"a": 3}


def test_a_token_is_asked_for_and_given(demo):
    with server(demo, GANGLION_TOKEN="secret-of-the-test") as serving:
        refused = ganglion("runs", "list", "--server", serving.url, cwd=demo)
        assert refused.returncode == 2
        assert "GANGLION_TOKEN" in refused.stderr
        succeed("runs", "list", "--server", serving.url, cwd=demo, GANGLION_TOKEN="secret-of-the-test")


def test_a_second_server_on_one_store_is_refused(demo):
    with server(demo):
        second = ganglion("serve", "--listen", "127.0.0.1:0", cwd=demo)
        assert second.returncode == 3
        assert "another process holds" in second.stderr


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--bus", "zmq://x"], "is no bus of this version"),
        (["--strategy", "mash"], 'did you mean "mesh"?'),
        (["--domain", "d"], "need a bus"),
        (["--roles", "agents"], "a bus to them"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_shared_is_refused_with_what_can(tmp_path, option, said):
    done = ganglion("serve", *option, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


# --- runs and replay -------------------------------------------------------------------------------------------------------


def test_replay_gives_what_show_gives(demo):
    succeed("run", "word-count", cwd=demo)
    [run] = run_ids(demo)
    shown = json.loads(succeed("runs", "show", run, "--json", cwd=demo))
    replayed = json.loads(succeed("replay", run, "--json", cwd=demo))
    assert replayed["run"] == shown
    journal = [json.loads(line) for line in succeed("runs", "journal", run, "--json", cwd=demo).splitlines()]
    assert [t["event"] for t in replayed["transitions"]] == journal
    assert [entry["seq"] for entry in journal] == list(range(1, len(journal) + 1))


def test_replay_until_shows_a_moment(demo):
    succeed("run", "word-count", cwd=demo)
    [run] = run_ids(demo)
    moment = json.loads(succeed("replay", run, "--until", "3", "--json", cwd=demo))
    assert moment["run"]["steps"]["count"]["status"] == "running"
    assert moment["run"]["steps"]["report"]["status"] == "pending"
    assert "count: ready → running" in succeed("replay", run, "--until", "3", cwd=demo)


def test_the_verbs_steer_a_run(gated):
    with server(gated):
        run = succeed("run", "gated", "--detach", cwd=gated).strip()
        assert "paused" in succeed("runs", "pause", run, cwd=gated)
        assert [r["status"] for r in json.loads(succeed("runs", "list", "--status", "paused", "--json", cwd=gated))] == ["paused"]
        assert "running" in succeed("runs", "resume", run, cwd=gated)
        assert "cancelled" in succeed("runs", "cancel", run, cwd=gated)
        assert "cancelled" in succeed("runs", "cancel", run, cwd=gated), "again changes nothing"
        assert "run cancelled" in succeed("runs", "journal", run, "--follow", cwd=gated), "a followed journal ends with the run"
        assert ganglion("resume", run, cwd=gated).returncode == 1


def test_following_a_journal_that_nobody_writes_does_not_hold_the_store(gated):
    run = succeed("run", "gated", "--detach", cwd=gated).strip()
    followed = ganglion("runs", "journal", run, "--follow", cwd=gated)
    assert followed.returncode == 0
    assert "run started" in followed.stdout and f"ganglion resume {run}" in followed.stderr


def test_an_unknown_run_is_bad_usage(demo):
    succeed("run", "word-count", cwd=demo)
    for command in (["runs", "show"], ["runs", "cancel"], ["resume"], ["replay"], ["runs", "journal"]):
        done = ganglion(*command, "01K0000000000000000000000Z", cwd=demo)
        assert done.returncode == 2, (command, done.stderr)
        assert done.stderr.startswith("ganglion: ")


def test_without_a_store_or_a_server_the_exit_code_is_3(tmp_path):
    assert ganglion("runs", "list", cwd=tmp_path).returncode == 3
    assert list(tmp_path.iterdir()) == [], "a question makes no store"
    gone = ganglion("runs", "list", "--server", "http://127.0.0.1:1", cwd=tmp_path)
    assert gone.returncode == 3
    assert "127.0.0.1:1" in gone.stderr


def test_a_fork_shares_what_was_done_and_does_the_rest_again(demo):
    succeed("run", "word-count", cwd=demo)
    [run] = run_ids(demo)
    with server(demo):
        fork = json.loads(succeed("runs", "fork", run, "--from", "report", "--json", cwd=demo))
        assert fork["id"] != run and fork["forked_from"]["run_id"] == run
        again = json.loads(succeed("resume", fork["id"], "--json", cwd=demo))
        assert again["output"] == json.loads(succeed("runs", "show", run, "--json", cwd=demo))["output"]
        assert "forked from run" in succeed("runs", "journal", fork["id"], cwd=demo)
        assert "fork of" in succeed("runs", "show", fork["id"], cwd=demo)
        unknown = ganglion("runs", "fork", run, "--from", "nothing", cwd=demo)
        assert unknown.returncode == 2 and "nothing" in unknown.stderr


def test_a_signal_ends_a_wait_also_of_a_sub_run(people):
    with server(people), running("run", "outer", cwd=people) as outer:
        outer.line_with("in a run of workflow await")
        [parent] = [run["id"] for run in json.loads(succeed("runs", "list", "--workflow", "outer", "--json", cwd=people))]
        [child] = [run["id"] for run in json.loads(succeed("runs", "list", "--parent", parent, "--json", cwd=people))]
        assert f"{parent}, step inner\n" in succeed("runs", "show", child, cwd=people)
        assert "go" in succeed("runs", "signal", child, "go", "--data", '{"n": 1}', cwd=people)
        assert outer.end() == (0, '{"n": 1}\n')
        late = ganglion("runs", "signal", child, "go", cwd=people)
        assert late.returncode == 2, "it has ended"


# --- people ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(tmp_path):
    (tmp_path / "ganglion.yaml").write_text(RELEASE)
    return tmp_path


def test_a_run_says_how_to_approve_and_goes_on_when_somebody_has(people):
    with running("run", "release", "--input", '{"tag": "v1"}', cwd=people) as release:
        release.line_with("step sign_off waits for alice or bob")
        command = release.line_with("ganglion approvals approve").split()
        assert command[:3] == ["ganglion", "approvals", "approve"] and command[4:] == ["--by", "NAME"]
        [approval] = json.loads(succeed("approvals", "list", "--json", cwd=people))
        assert approval["show"] == {"tag": "v1"} and approval["id"] in succeed("approvals", "list", cwd=people)

        nobody_to_ask = ganglion("approvals", "approve", command[3], "--by", "alice", cwd=people)
        assert nobody_to_ask.returncode == 2 and f"--digest {approval['digest']}" in nobody_to_ask.stderr
        something_else = ganglion("approvals", "approve", command[3], "--by", "alice", "--digest", "0" * 64, cwd=people)
        assert something_else.returncode == 2 and "nothing was decided" in something_else.stderr
        not_named = ganglion("approvals", "approve", command[3], "--by", "mallory", "--yes", cwd=people)
        assert not_named.returncode == 2
        decided = ganglion("approvals", "approve", command[3], "--by", "bob", "--digest", approval["digest"], cwd=people)
        assert decided.returncode == 0, decided.stderr
        assert '"tag": "v1"' in decided.stderr, "what is decided is shown"
        assert release.end() == (0, '"bob ships v1"\n')
    assert succeed("approvals", "list", "--json", cwd=people) == "[]\n"
    [run] = run_ids(people)
    assert "approved by bob" in succeed("runs", "journal", run, cwd=people)


def test_a_rejected_run_fails(people):
    with server(people):
        run = succeed("run", "release", "--input", '{"tag": "v2"}', "--detach", cwd=people).strip()
        with running("resume", run, cwd=people) as watching:
            watching.line_with("approvals approve")
            done = ganglion("approvals", "reject", run, "--by", "alice", "--comment", "too soon", "--yes", "--json", cwd=people)
            assert json.loads(done.stdout)["decision"] == "reject"
            assert watching.end()[0] == 1
            assert "rejected" in watching.errors


def test_a_persons_answer_is_the_output_of_their_task(people):
    with running("run", "label", "--input", '{"text": "spam?"}', cwd=people) as label:
        label.line_with("approvals approve")
        [task] = json.loads(succeed("approvals", "list", "--json", cwd=people))
        assert (task["kind"], task["agent"], task["show"]) == ("task", "person", "spam?")
        succeed("approvals", "approve", task["id"], "--by", "carol", "--output", '{"spam": true}', "--yes", cwd=people)
        assert label.end() == (0, '{"spam": true}\n')


def test_of_several_items_the_named_one_is_decided(people):
    with server(people), running("run", "labels", "--input", '{"texts": ["a", "b"]}', cwd=people) as labels:
        labels.line_with("ask[1]  waiting for carol")
        run = json.loads(succeed("approvals", "list", "--json", cwd=people))[0]["run_id"]
        both = ganglion("approvals", "approve", f"{run}/ask", "--by", "carol", "--yes", cwd=people)
        assert both.returncode == 2 and "ask[0]" in both.stderr and "ask[1]" in both.stderr
        for item in (1, 0):
            answer = ["--by", "carol", "--output", str(item), "--yes"]
            assert succeed("approvals", "approve", f"{run}/ask[{item}]", *answer, cwd=people) == f"{run}/ask[{item}] is approved by carol\n"
        assert labels.end() == (0, "[0,1]\n")


def test_on_a_terminal_a_decision_is_asked_for(people):
    def answer(text):
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [BINARY, "approvals", "approve", run, "--by", "alice"], cwd=people, env=environment(TERM="xterm"),
            stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
        )
        os.close(theirs)
        watchdog = threading.Timer(DEADLINE, child.kill)
        watchdog.start()
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while piece := os.read(ours, 65536):
                shown += piece
                if shown.endswith(b"approve this? [y/N] "):
                    os.write(ours, text)
        watchdog.cancel()
        os.close(ours)
        child.communicate(timeout=DEADLINE)
        assert b'"tag": "v3"' in shown
        return child.returncode

    with server(people):
        run = succeed("run", "release", "--input", '{"tag": "v3"}', "--detach", cwd=people).strip()
        with running("resume", run, cwd=people) as watching:
            watching.line_with("approvals approve")
            assert answer(b"n\n") == 1
            assert len(json.loads(succeed("approvals", "list", "--json", cwd=people))) == 1
            assert answer(b"y\n") == 0
            assert watching.end() == (0, '"alice ships v3"\n')


def test_a_dead_letter_is_listed_tried_again_and_removed(fragile):
    failed = ganglion("run", "fragile", cwd=fragile)
    assert failed.returncode == 1
    [run] = run_ids(fragile)
    with server(fragile):
        [letter] = json.loads(succeed("dlq", "list", "--run", run, "--kind", "task", "--json", cwd=fragile))
        assert letter["agent"] == "reader" and letter["error"]["code"] == "crashed"
        assert "reader" in succeed("dlq", "list", cwd=fragile)
        assert ganglion("dlq", "purge", "--all", cwd=fragile).returncode == 2, "not without a question"
        (fragile / "answer.json").write_text('"at last"')
        assert run in succeed("dlq", "requeue", letter["id"], cwd=fragile)
        assert succeed("resume", run, cwd=fragile) == '"at last"\n'
        assert json.loads(succeed("dlq", "list", "--json", cwd=fragile)) == []
        gone = ganglion("dlq", "requeue", letter["id"], cwd=fragile)
        assert gone.returncode == 2

        (fragile / "answer.json").unlink()
        assert ganglion("run", "fragile", cwd=fragile).returncode == 1
        assert json.loads(succeed("dlq", "purge", "--all", "--yes", "--json", cwd=fragile)) == {"purged": 1}
        assert json.loads(succeed("dlq", "list", "--json", cwd=fragile)) == []


def test_followed_events_survive_a_restart_of_the_server(people):
    def publish(number, kind="order.paid"):
        return json.loads(succeed("events", "publish", kind, "--data", f'{{"n": {number}}}', "--id", str(number), "--json", cwd=people))

    with server(people) as first:
        one = publish(1)
        assert publish(1) == one | {"duplicate": True}
        publish(2, "user.added")
        with running("events", "tail", "--topic", "order.*", "--json", cwd=people) as tail:
            assert json.loads(tail.output_line())["data"] == {"n": 1}
            publish(3)
            assert json.loads(tail.output_line())["data"] == {"n": 3}
            first.process.send_signal(signal.SIGTERM)
            first.end()
            tail.line_with("trying again")
            with server(people):
                publish(4)
                assert json.loads(tail.output_line())["data"] == {"n": 4}, "once, and no other"
                tail.process.send_signal(signal.SIGINT)
                assert tail.end() == (130, "")
                lines = succeed("events", "tail", "--no-follow", "-n", "2", "--topic", "order.*", cwd=people).splitlines()
                shown = [re.search(r"  \d+  order\.paid  /ganglion/cli  (.*)$", line)[1] for line in lines]
                assert [json.loads(data) for data in shown] == [{"n": 3}, {"n": 4}]


def test_agents_are_listed_with_what_they_have_in_hand(gated):
    with server(gated), running("run", "gated", cwd=gated) as client:
        client.line_with("attempt 1 for agent gate")
        [gate] = json.loads(succeed("agents", "--json", cwd=gated))
        assert (gate["name"], gate["kind"], gate["handed_out"]) == ("gate", "process", 1)
        assert re.search(r"^gate +process +0 +1", succeed("agents", cwd=gated), re.M)
        assert "timeout       5m" in succeed("agents", "gate", cwd=gated)
        unknown = ganglion("agents", "gaet", cwd=gated)
        assert unknown.returncode == 2 and 'did you mean "gate"?' in unknown.stderr
        open_gate(gated, "1")
        assert client.end()[0] == 0


def test_the_tax_of_a_run_and_the_average_of_a_workflow(demo):
    assert ganglion("tax", "--workflow", "word-count", "--store", "memory:", cwd=demo).returncode == 2, "no run has ended"
    for _ in range(2):
        succeed("run", "word-count", cwd=demo)
    runs = run_ids(demo)
    taxes = [json.loads(succeed("tax", run, "--json", cwd=demo)) for run in runs]
    assert {"admit", "queue", "dispatch", "persist", "decide", "backoff"} == set(taxes[0]["parts"])
    assert [step["step"] for step in taxes[0]["critical_path"]][-1] == "report"
    average = json.loads(succeed("tax", "--workflow", "word-count", "--json", cwd=demo))
    assert average["runs"] == 2
    assert average["average"]["wall_ms"] == pytest.approx(sum(tax["wall_ms"] for tax in taxes) / 2)
    text = succeed("tax", cwd=demo, LC_ALL="C.UTF-8")
    assert text.startswith(f"run {runs[0]}\n"), "the newest one"
    assert re.search(r"^wall +\S+ +100\.0%  █+$", text, re.M) and "critical path" in text
    assert "average of 2 runs" in succeed("tax", "--workflow", "word-count", cwd=demo)


def test_validate_asks_a_server_which_open_runs_a_file_would_leave_behind(gated):
    (gated / "new.yaml").write_text(GATED.replace("5m", "6m").replace("end: {transform:", "last: {transform:").replace("steps.end", "steps.last"))
    with server(gated) as serving:
        run = succeed("run", "gated", "--detach", cwd=gated).strip()
        same = json.loads(succeed("validate", "--server", serving.url, "--json", cwd=gated))
        assert same["open_runs"] == {"total": 1, "affected": []}
        text = succeed("validate", "new.yaml", "--server", serving.url, cwd=gated)
        assert "gated: 1 run of definition" in text and "changed" in text
        assert succeed("runs", "show", run, "--json", cwd=gated), "nothing has changed"
        assert json.loads(succeed("validate", "new.yaml", "--server", serving.url, "--json", cwd=gated))["open_runs"]["total"] == 1


def test_a_hangup_reads_the_project_again_and_one_with_errors_changes_nothing(tmp_path):
    def project(answer):
        return f"ganglion: 1\nworkflows: {{w: {{steps: {{a: {{transform: {answer}}}}}}}}}\n"

    def hang_up(text, event):
        (tmp_path / "ganglion.yaml").write_text(text)
        serving.process.send_signal(signal.SIGHUP)
        return json.loads(serving.line_with(event))

    (tmp_path / "ganglion.yaml").write_text(project(1))
    with server(tmp_path) as serving:
        assert json.loads(succeed("run", "w", cwd=tmp_path)) == {"a": 1}
        assert hang_up(project(2), "project_reloaded")["changed"] is True
        assert json.loads(succeed("run", "w", cwd=tmp_path)) == {"a": 2}
        assert hang_up(project(2), "project_reloaded")["changed"] is False
        assert "ganglion.yaml:2:" in hang_up("ganglion: 1\nworkflows: {w: {steps: {a: {agent: nobody}}}}\n", "project_not_reloaded")["message"]
        (tmp_path / "ganglion.yaml").write_text(project(2))  # a client would say that the server has another one
        assert json.loads(succeed("run", "w", cwd=tmp_path)) == {"a": 2}
        workers = "workers: {one: {command: [sh, -c, 'echo here I am; cat']}}\n"
        (tmp_path / "ganglion.yaml").write_text(project(3) + workers)
        serving.process.send_signal(signal.SIGHUP)
        serving.line_with("here I am")
        hang_up(project(4), "project_reloaded")
        assert json.loads(succeed("run", "w", cwd=tmp_path)) == {"a": 4}
        serving.process.send_signal(signal.SIGTERM)
        assert serving.end()[0] == 0


# --- sim -------------------------------------------------------------------------------------------------------------------


def test_sim_of_the_engine_reports_its_seeds_in_text_json_and_xml(tmp_path):
    assert "2 seeds, 0 failed" in succeed("sim", "engine", "--seeds", "2", "--junit", "report.xml", cwd=tmp_path)
    assert 'failures="0"' in (tmp_path / "report.xml").read_text()
    first, second = (json.loads(succeed("sim", "engine", "--seed", "7", "--json", cwd=tmp_path)) for _ in range(2))
    assert first["holds"] and first["seeds"] == 1 and first["runs"] > 0
    assert first["trace"] == second["trace"]


def test_sim_of_one_seed_tells_its_story(tmp_path):
    told = ganglion("sim", "engine", "--seed", "3", "--timeline", cwd=tmp_path)
    assert told.returncode == 0
    assert "engine-1      starts" in told.stderr and "takes 01" in told.stderr


def test_sim_of_nothing_says_so(tmp_path):
    assert ganglion("sim", "nothing.yaml", cwd=tmp_path).returncode == 2
    only = ganglion("sim", "engine", "--only", "customer-1.acts:1", cwd=tmp_path)
    assert only.returncode == 2 and "--seed" in only.stderr


# --- bench -----------------------------------------------------------------------------------------------------------------


def trace_of_a_join():
    """Three calls: one after two that overlap."""
    spans = [("a", "00.000", "02.000"), ("b", "00.500", "01.500"), ("c", "03.000", "04.000")]
    return json.dumps(
        {
            "spans": [
                {
                    "span_id": name,
                    "parent_span_id": None,
                    "start_time": f"2026-02-25T10:00:{start}",
                    "end_time": f"2026-02-25T10:00:{end}",
                    "attributes": {"gen_ai.input.messages": "[]", "gen_ai.output.text": "x" * 500},
                }
                for name, start, end in spans
            ]
        }
    )


WORKLOADS = [("pipeline", 3), ("diamond", 4), ("fanout", 102), ("logistics", 5), ("delegation", 3), ("trace", 3)]


def bench(cwd, *args):
    short = ("--duration", "1s", "--warmup", "200ms", "--clients", "4", "--folder", ".", "--json")
    found = json.loads(succeed("bench", *args, *short, cwd=cwd))
    assert not list(cwd.glob("ganglion-bench-*")), "a store is left behind"
    return found["rows"]


@pytest.mark.parametrize("workload, tasks", WORKLOADS)
def test_bench_of_each_workload_completes_every_run(tmp_path, workload, tasks):
    (tmp_path / "trace.json").write_text(trace_of_a_join())
    args = ("--trace", "trace.json", "--speedup", "50") if workload == "trace" else ("--workload", workload)
    (row,) = bench(tmp_path, *args)
    assert row["workload"] == workload and row["loop"] == "closed" and row["clients"] == 4
    assert row["failed"] == row["unfinished"] == 0
    assert row["completed"] >= row["runs"] > 0
    assert row["runs"] == row["run_ms"]["count"]
    # What is under way at the window's ends is in one figure and not in the other.
    assert abs(row["steps"] - row["runs"] * tasks) <= 4 * tasks
    # What is before a step of a delegation's run is in another run, and no step's coordination.
    assert (row["step_ms"]["count"] == 0) == (workload == "delegation")
    for latency in (row["run_ms"],) if workload == "delegation" else (row["run_ms"], row["step_ms"]):
        assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p999"] <= latency["max"]
    if workload == "trace":
        assert row["run_ms"]["p50"] >= 60  # 3 s, fifty times faster
    server = row["server"]
    assert server["cpu_ms_per_step"] > 0 and server["peak_mib"] >= server["resident_at_rest_mib"] > 0
    assert server["syncs_per_1000_steps"] > 0 and row["disk_syncs_per_s"] > 0


def test_bench_of_an_open_loop_keeps_its_rate(tmp_path):
    slow, fast = bench(tmp_path, "--rate", "20,50")
    assert slow["loop"] == fast["loop"] == "open" and (slow["rate"], fast["rate"]) == (20, 50)
    # Those that were due within the second, however late they ended; give or take what is rounded.
    assert abs(slow["run_ms"]["count"] - 20) <= 1 and abs(fast["run_ms"]["count"] - 50) <= 1
    assert slow["unfinished"] == fast["unfinished"] == 0


def test_bench_draws_and_prints_its_rows_side_by_side(tmp_path):
    args = ("--clients", "1,4", "--duration", "1s", "--warmup", "200ms", "--store", "memory:", "--svg", "bench.svg")
    table = succeed("bench", *args, cwd=tmp_path)
    assert re.match(r"pipeline +1 client +4 clients\n", table)
    assert re.search(r"^run p99\.9 +[\d.]+ (µs|ms|s)", table, re.M)
    root = ElementTree.parse(tmp_path / "bench.svg").getroot()
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"milliseconds", "clients (closed loop)", "p99.9", "steps"} <= set(texts)


def test_bench_of_strategies_is_a_line_for_each(tmp_path):
    args = ("--strategy", "all", "--store", "memory:", "--clients", "4", "--duration", "500ms", "--warmup", "100ms")
    table = succeed("bench", *args, cwd=tmp_path)
    assert [line.split()[:3] for line in table.splitlines()[1:] if line] == [
        ["centralized", "1", "pipeline"],
        ["mesh", "1", "pipeline"],
        ["hierarchical", "1", "delegation"],
        ["swarm", "1", "pipeline"],
    ]


def test_bench_of_a_running_server_leaves_somebodys_project_alone(tmp_path):
    with server(tmp_path) as serving:
        args = ("--duration", "1s", "--warmup", "200ms", "--clients", "2", "--json", "--server", serving.url)
        for workload in "pipeline", "diamond":  # the second one finds the first one's project
            (row,) = json.loads(succeed("bench", "--workload", workload, *args, cwd=tmp_path))["rows"]
            assert row["runs"] > 0 and row["server"]["cpu_ms_per_step"] > 0 and "peak_mib" not in row["server"]
    (tmp_path / "ganglion.yaml").write_text(FRAGILE)
    with server(tmp_path, "--store", "memory:") as serving:
        done = ganglion("bench", "--server", serving.url, cwd=tmp_path)
        assert done.returncode == 2 and "project of its own" in done.stderr
        assert json.loads(succeed("agents", "--server", serving.url, "--json", cwd=tmp_path))[0]["name"] == "reader"
    assert ganglion("bench", "--server", serving.url, cwd=tmp_path).returncode == 3


def test_bench_that_is_interrupted_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "stores"
    folder.mkdir()
    with running("bench", "--folder", "stores", "--clients", "1", "--duration", "60s", cwd=tmp_path) as loading:
        deadline = time.monotonic() + DEADLINE
        while not list(folder.glob("ganglion-bench-*/bench.db")) and time.monotonic() < deadline:
            os.sched_yield()
        loading.process.send_signal(signal.SIGINT)
        assert loading.end()[0] == 130
    assert not list(folder.iterdir())


def test_bench_refuses_what_it_cannot_measure(tmp_path):
    (tmp_path / "slow.json").write_text(trace_of_a_join())
    (tmp_path / "none.json").write_text("{}")
    for args, what in (
        (["--strategy", "mash"], 'did you mean "mesh"'),
        (["--strategy", "all", "--coordinators", "3"], "need a store that they share and a bus"),
        (["--store", "kafka://x"], "--store kafka://x is not available yet"),
        (["--store", "sqlite:mine.db"], "--folder"),
        (["--workload", "pipelin"], 'did you mean "pipeline"'),
        (["--workload", "trace"], "--trace FILE"),
        (["--trace", "missing.json"], "can't read missing.json"),
        (["--trace", "none.json"], 'needs a list "spans"'),
        (["--trace", "slow.json", "--speedup", "1", "--duration", "1s"], "larger --speedup or --duration"),
        (["--clients", "0"], "--clients"),
        (["--rate", "none"], "--rate"),
        (["--duration", "1h"], "--duration"),
        (["--server", "example.org"], "http://HOST:PORT"),
        (["--folder", "missing"], "no folder missing"),
        (["--svg", "no/such.svg"], "can't write no/such.svg"),
    ):
        done = ganglion("bench", *args, cwd=tmp_path)
        assert done.returncode == 2, (args, done.stderr)
        assert what in done.stderr and done.stderr.startswith("ganglion: "), (args, done.stderr)


# --- eval and the small commands ---------------------------------------------------------------------------------------------


def test_eval_prints_the_typed_value(tmp_path):
    assert json.loads(succeed("eval", "1 + 2", cwd=tmp_path)) == {"int": 3}
    (tmp_path / "b.json").write_text('{"names": ["a", "bc"]}')
    assert json.loads(succeed("eval", "names.map(n, size(n))", "--bindings", "@b.json", cwd=tmp_path)) == {
        "list": [{"int": 1}, {"int": 2}]
    }


def test_eval_of_nonsense_points_at_the_place(tmp_path):
    done = ganglion("eval", "1 + ", cwd=tmp_path)
    assert done.returncode == 2
    assert "^" in done.stderr
    assert ganglion("eval", "nothing.here", cwd=tmp_path).returncode == 1


def test_eval_runs_vectors_and_lists_failures(tmp_path):
    good = '{"id": "a", "expr": "1 + 1", "value": {"int": 2}}\n{"id": "b", "expr": "1 / 0", "error": "divide"}\n'
    (tmp_path / "good.jsonl").write_text(good)
    (tmp_path / "bad.jsonl").write_text(good + '{"id": "c", "expr": "1", "value": {"int": 2}}\n')
    assert succeed("eval", "--vectors", "good.jsonl", cwd=tmp_path) == "2 passed, 0 failed\n"
    bad = ganglion("eval", "--vectors", "bad.jsonl", cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (1, "2 passed, 1 failed\n")
    assert bad.stderr.startswith("c: ")


def test_a_command_that_is_still_to_come_says_so(tmp_path):
    done = ganglion("token", cwd=tmp_path)
    assert done.returncode == 2
    assert "not available yet" in done.stderr
    assert not re.search(r"^  token\b", succeed("--help", cwd=tmp_path), re.M)


def test_bad_usage_exits_2_in_one_line(tmp_path):
    for args in (["rnu"], ["run"], ["run", "w", "--label", "x"], ["runs"], ["eval"], ["runs", "list", "--limit", "0"], ["--nope"]):
        done = ganglion(*args, cwd=tmp_path)
        assert done.returncode == 2, args
        assert done.stderr.startswith("ganglion: ") and done.stderr.count("\n") == 1, done.stderr


def test_ganglion_alone_helps_and_every_command_has_examples(tmp_path):
    text = succeed(cwd=tmp_path)
    assert text == succeed("--help", cwd=tmp_path)
    commands = re.findall(r"^  ([a-z]+)  +\S", text.split("Subcommands:")[1].split("Start here")[0], re.M)
    assert {
        "init", "validate", "run", "resume", "serve", "runs", "replay", "tax", "agents", "approvals", "dlq", "events", "sim",
        "bench", "eval",
        "completion", "version",
    } <= set(commands)
    for command in commands:
        assert "Examples:" in succeed(command, "--help", cwd=tmp_path), command


def test_bash_completes_commands_and_options(tmp_path):
    script = succeed("completion", "bash", cwd=tmp_path)

    def completed(*words):
        ask = f'COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _ganglion; echo "${{COMPREPLY[@]}}"'
        shell = subprocess.run(["bash", "-c", script + "\n" + ask], capture_output=True, text=True, timeout=DEADLINE)
        assert shell.returncode == 0, shell.stderr
        return shell.stdout.split()

    assert completed("ganglion", "re") == ["resume", "replay"]
    assert completed("ganglion", "approvals", "approve", "--dig") == ["--digest"]
    assert "tail" in completed("ganglion", "events", '""')
    assert "journal" in completed("ganglion", "runs", '""')
    assert completed("ganglion", "runs", "journal", "--fol") == ["--follow"]
    assert completed("ganglion", "completion", "z") == ["zsh"]
