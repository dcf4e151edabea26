"""The control connections by themselves: no TensorFlow, all ends in this process."""

import dataclasses
import itertools
import json
import socket
import threading
import time
from functools import partial

import pytest

from benchmarks.cluster import session, watchdog
from benchmarks.cluster.cluster import Cluster, Task
from benchmarks.cluster.control import ClusterError
from benchmarks.cluster.driver_control import DriverControl
from benchmarks.cluster.identity import differences, identity
from benchmarks.cluster.member_control import MemberControl
from benchmarks.cluster.progress import Mark, Standstill
from benchmarks.cluster.watchdog import Watchdog
from benchmarks.params import Params
from tests.cluster.conftest import LIMIT, free_port, nobody_listens, wait_until

PARAMS = Params(model="trivial", batch_size=4)
SETUP, PATIENCE = 600.0, 60.0
CONTROLS = []  # to be closed after the test


def no_signal():
    """Nothing asks for an end."""


@pytest.fixture
def cluster():
    hosts = {"ps": (f"127.0.0.1:{free_port()}",), "worker": (f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")}
    return Cluster(hosts, Task("worker", 0), "flags")


@pytest.fixture(autouse=True)
def _ends():
    yield
    while CONTROLS:
        CONTROLS.pop().close()


def driver_of(cluster):
    control = DriverControl(cluster, PATIENCE, SETUP, partial(differences, identity(PARAMS, cluster)))
    CONTROLS.append(control)
    gathered = []

    def gather():
        try:
            control.gather(no_signal)
        except ClusterError as error:
            gathered.append(str(error))

    control.gathering = threading.Thread(target=gather)
    control.gathering.start()
    control.gathered = gathered
    return control


def member_of(cluster, job, index, **changed):
    own = dataclasses.replace(cluster, task=Task(job, index))
    control = MemberControl(own, PATIENCE, SETUP, identity(PARAMS, own) | changed)
    CONTROLS.append(control)
    control.problem = None

    def join_in():
        try:
            control.join_in(no_signal)
        except ClusterError as error:
            control.problem = str(error)

    control.joining = threading.Thread(target=join_in)
    control.joining.start()
    return control


def joined(*controls):
    for control in controls:
        (control.gathering if isinstance(control, DriverControl) else control.joining).join(LIMIT)


def test_all_come_together_and_the_port_is_free_for_tensorflow(cluster):
    driver, ps, worker = driver_of(cluster), member_of(cluster, "ps", 0), member_of(cluster, "worker", 1)
    joined(driver, ps, worker)
    assert (driver.gathered, ps.problem, worker.problem) == ([], None, None)
    with socket.create_server(("", int(cluster.address(cluster.driver).split(":")[1]))):
        worker.say_ready(variables="abc")
        ps.say_ready()
        driver.wait_until_ready(no_signal)
        assert driver.ready[Task("worker", 1)]["variables"] == "abc"
        finishing = threading.Thread(target=driver.finish, args=(0, 12.5, ""))
        finishing.start()
        for member in (ps, worker):
            assert member.wait_for_end(no_signal)["images_per_second"] == 12.5
            member.close()
        finishing.join()  # once all are gone


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"tensorflow": "2.13.0"}, "it has TensorFlow 2.13.0, and the driver 2."),
        (
            {"source": "1234", "commit": "abcdef0123456789"},
            "it has other source code of this project (commit abcdef012345, and the driver ",
        ),
        ({"flags": {**vars(PARAMS), "batch_size": 8}}, "it has --batch_size=8, and the driver --batch_size=4"),
        ({"hosts": {"ps": ["a:1"]}}, "it has ps processes ['a:1'], and the driver ['127.0.0.1:"),
    ],
)
def test_who_runs_something_else_is_named_to_all(cluster, changed, told):
    driver, ps, worker = driver_of(cluster), member_of(cluster, "ps", 0), member_of(cluster, "worker", 1, **changed)
    joined(driver, ps, worker)
    for problem in (driver.gathered[0], ps.problem, worker.problem):
        assert problem.startswith(f"{worker.cluster.name(Task('worker', 1))} does not run what the driver runs: ")
        assert told in problem


def test_who_cannot_be_reached_is_named_before_tensorflow_tries(cluster):
    driver, ps, worker = driver_of(cluster), member_of(cluster, "ps", 0), member_of(cluster, "worker", 1)
    joined(driver, ps, worker)
    with pytest.raises(ClusterError, match=rf"{cluster.name(Task('ps', 0))}: it is up .*Connection refused"):
        driver.reach_all()


def test_what_hangs_in_tensorflow_is_a_fault_in_time(cluster):
    control = MemberControl(cluster, 5.0, SETUP, {})
    told = threading.Event()
    control.on_fault = lambda _: told.set()
    with control.within(0.1, "it did not start"):
        assert told.wait(LIMIT)
    assert str(control.fault) == "it did not start within 0.1 s"


def test_what_does_not_hang_is_no_fault_later(cluster):
    control = MemberControl(cluster, PATIENCE, SETUP, {})
    with control.within(2 * LIMIT, "it did not start"):
        (timer,) = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    timer.join(LIMIT)
    assert not timer.is_alive()


def test_flags_that_say_where_or_for_how_long_may_differ(cluster):
    other = dataclasses.replace(PARAMS, results_dir="/elsewhere", job_name="ps", display_every=3, debug=True)
    assert differences(identity(PARAMS, cluster), json.loads(json.dumps(identity(other, cluster)))) == []


def test_a_second_process_of_one_role_is_refused(cluster):
    driver, first = driver_of(cluster), member_of(cluster, "worker", 1)
    while Task("worker", 1) not in driver.hellos:
        time.sleep(0.02)
    second = member_of(cluster, "worker", 1)
    joined(second)
    assert f"refuses this process: another process already is {cluster.name(Task('worker', 1))}" in second.problem
    joined(driver, first, member_of(cluster, "ps", 0))
    assert driver.gathered == []


def test_strangers_at_the_port_are_let_go(cluster):
    driver = driver_of(cluster)
    host, port = cluster.address(cluster.driver).split(":")
    wait_until(lambda: not nobody_listens(int(port)))
    with socket.create_connection((host, int(port))) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stranger.settimeout(LIMIT)
        assert stranger.recv(10) == b""
    joined(driver, member_of(cluster, "ps", 0), member_of(cluster, "worker", 1))
    assert driver.gathered == []


def test_a_port_on_which_something_else_answers(cluster):
    host, port = cluster.address(cluster.driver).split(":")
    with socket.create_server((host, int(port))) as server:
        member = member_of(cluster, "ps", 0)
        other, _ = server.accept()
        with other:
            other.sendall(b"PRI * HTTP/2.0\r\n\r\n")
            joined(member)
    assert "it said something that is no message of this program" in member.problem


def test_a_process_that_was_held_up_itself_blames_nobody(cluster):
    driver, ps, worker = driver_of(cluster), member_of(cluster, "ps", 0), member_of(cluster, "worker", 1)
    joined(driver, ps, worker)
    rounds, go_on = itertools.count(1), threading.Event()

    def hold_up():
        if next(rounds) == 1:
            time.sleep(driver.silence_seconds + 0.3)
        else:
            go_on.set()

    driver.timeout_seconds = 5.0  # the others have more patience, and rightly blame nobody
    driver._say_alive = hold_up
    assert go_on.wait(LIMIT)
    assert driver.fault is None


def test_who_does_not_get_on_is_named_to_all(cluster):
    driver, ps, worker = driver_of(cluster), member_of(cluster, "ps", 0), member_of(cluster, "worker", 1)
    joined(driver, ps, worker)
    now, heard = [0.0], {}

    class Noted(Standstill):
        def heard(self, task, mark):
            super().heard(task, mark)
            heard[task] = mark

    waits = threading.Thread(target=wait_to_fail, args=(ps,))
    waits.start()
    worker.progress.watched(lambda: None)()
    for _ in range(2):  # as if it did not wait for the other
        driver.progress.watched(lambda: None)()
    driver._standstill = Noted(lambda: now[0])
    marks = {Task("worker", 0): driver.progress.mark, Task("worker", 1): worker.progress.mark}
    wait_until(lambda: heard == marks | {Task("ps", 0): Mark(0, "starting", None)})  # which waits for the others
    now[0] = PATIENCE + 1
    waits.join(LIMIT)
    wait_until(lambda: worker.fault)  # it may hear of it a moment after the other
    for control in (driver, ps, worker):
        assert f"{cluster.name(Task('worker', 1))}: it lives but does not get on: past step 1 for 61 s" in str(
            control.fault
        )


def wait_to_fail(control):
    with pytest.raises(ClusterError):
        control.wait_for_end(no_signal)


def ended(told=lambda: None, before=lambda _: None):
    """What a watchdog does that is let loose: the fault in its last words, and the exit code."""
    done, at_end = [], threading.Event()
    dog = Watchdog(0.1, lambda fault: done.append(str(fault)), told, lambda code: (done.append(code), at_end.set()))
    before(dog)
    dog.let_loose(ClusterError("gone"))
    assert at_end.wait(LIMIT)
    return done


def test_the_watchdog_leaves_the_last_words_to_a_main_thread_that_is_at_them(monkeypatch):
    monkeypatch.setattr(watchdog, "_ENDING_SECONDS", 0.1)
    assert ended(before=Watchdog.hold_back) == [1]


def test_the_watchdog_ends_a_process_whose_main_thread_hangs():
    assert ended() == ["gone", 1]


def test_a_proxy_for_the_web_is_passed_by(cluster):
    assert session.past_proxies(cluster, {}) == {"no_grpc_proxy": "127.0.0.1"}
    assert session.past_proxies(cluster, {"no_proxy": ".corp"}) == {"no_grpc_proxy": ".corp,127.0.0.1"}


def test_roles_become_flags(cluster):
    params = session.with_roles(Params(), cluster)
    assert (params.job_name, params.task_index) == ("worker", 0)
    assert params.worker_hosts == ",".join(cluster.hosts["worker"])
    assert params.local_parameter_device == "cpu"


def test_a_process_that_was_told_to_end_says_so_even_if_it_hangs():
    assert ended(told=lambda: 143) == ["gone", 143]
