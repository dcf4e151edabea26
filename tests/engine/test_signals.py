"""The first signal waits for a safe point, the second does not."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from benchmarks.errors import ExitCode
from benchmarks.signals import Signals, Terminated
from tests.main.conftest import PROJECT


@pytest.fixture(autouse=True)
def _signals_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in a script's background jobs it is ignored
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_waits_for_the_next_check(number, raised):
    with Signals() as signals:
        signals.check()
        os.kill(os.getpid(), number)
        waited = True
        with pytest.raises(raised):
            signals.check()
    assert waited


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_second_signal_ends_what_hangs(number, raised):
    with Signals():
        os.kill(os.getpid(), number)
        with pytest.raises(raised):
            os.kill(os.getpid(), number)


def test_one_that_comes_late_is_waited_for():
    signals = Signals()
    with signals:
        signals.wait(0.01)  # none comes, and nothing is raised
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with pytest.raises(Terminated):
            signals.wait(60)
    assert signals.exit_code == ExitCode.TERMINATED


def test_what_was_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        signals.check()


def test_nothing_disturbs_what_comes_after():
    with Signals():
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_while_modules_are_imported_ends_the_process_without_a_word():
    program = """
import os, signal
from benchmarks import signals
signals.end_without_a_word()
signals.interrupt()
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    signals.end_without_a_word()
    os.kill(os.getpid(), signal.SIGINT)
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (-signal.SIGINT, "")


@pytest.mark.parametrize("module", ["suite", "studies", "topology", "advise"])
def test_every_command_that_imports_much_does_so(module):
    program = f"""
import os, runpy, signal, sys
class Interrupts:
    def find_spec(name, *_):
        if name.startswith("results."):
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts)
runpy.run_module("benchmarks.{module}", run_name="__main__")
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (-signal.SIGINT, "")
