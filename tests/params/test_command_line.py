import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.errors import UserError
from benchmarks.params import CommandLine, CommandLineError, Params, parse

ROOT = Path(__file__).parents[2]


def problems_of(*arguments):
    with pytest.raises(CommandLineError) as caught:
        parse(arguments)
    return caught.value.problems


def test_nothing_given():
    assert parse([]) == CommandLine(Params(), frozenset())


@pytest.mark.parametrize(
    "arguments",
    [["--num_gpus=2"], ["--num_gpus", "2"], ["-num_gpus=2"], ["-num_gpus", "2"], ["--num_gpus=3", "--num_gpus=2"]],
)
def test_spellings_of_a_value(arguments):
    assert parse(arguments) == CommandLine(Params(num_gpus=2), frozenset({"num_gpus"}))


@pytest.mark.parametrize(
    ("argument", "value"),
    [("--xla", True), ("--noxla", False), ("--xla=True", True), ("--xla=f", False), ("--xla=0", False)],
)
def test_spellings_of_a_truth(argument, value):
    assert parse([argument]) == CommandLine(Params(xla=value), frozenset({"xla"}))


def test_letter_case_of_choices_does_not_matter():
    params = parse(["--device=CPU", "--data_format=nchw"]).params
    assert (params.device, params.data_format) == ("cpu", "NCHW")


def test_given_includes_flags_given_with_their_default():
    assert parse(["--num_gpus=1"]).given == {"num_gpus"}


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("--modle=resnet50", "Unknown flag --modle=resnet50. Did you mean --model? See --help."),
        ("--noxla_complie", "Unknown flag --noxla_complie. Did you mean --noxla_compile? See --help."),
        ("--zzz", "Unknown flag --zzz. See --help."),
        ("--num_gpus=two", "--num_gpus=two is not a whole number. Towers, each on a device"),
        ("--num_gpus=1.5", "--num_gpus=1.5 is not a whole number."),
        ("--num_batches=", "--num_batches= (empty) is not a whole number."),
        ("--num_epochs=", "--num_epochs= (empty) is not a number."),
        ("--xla=maybe", "--xla=maybe is not true or false."),
        ("--noxla=true", "--noxla=true: --noxla takes no value. Write --noxla or --xla=false."),
        ("--batch_size=-1", "--batch_size=-1 must be at least 0. Images per device and step; 0 takes the model's own"),
        ("--num_gpus=0", "--num_gpus=0 must be at least 1."),
        ("--num_epochs=0", "--num_epochs=0.0 must be above 0."),
        ("--display_perf_ewma=1.5", "--display_perf_ewma=1.5 must be at most 1.0."),
        ("--weight_decay=nan", "--weight_decay=nan is not finite."),
        ("--optimizer=sdg", "--optimizer=sdg is none of: momentum, sgd, rmsprop, adam, lars. Did you mean 'sgd'?"),
        ("--num_gpus", "--num_gpus is the last argument and has no value. Write --num_gpus=VALUE."),
        ("--help=model", "--help=model: --help takes no value. Write --help."),
        ("resnet50", "Received unknown positional arguments: resnet50. Every setting is a flag: --name=value."),
        ("-", "Received unknown positional arguments: -."),
        ("--flagfile=/no/such", "--flagfile=/no/such cannot be read: /no/such: No such file or directory."),
        ("--flagfile", "--flagfile= cannot be read: it names no file."),
    ],
)
def test_problem(argument, problem):
    [found] = problems_of(argument)
    assert found.startswith(problem)


def test_all_problems_come_together():
    found = problems_of(
        "--modle=resnet50",
        "--num_gpus=two",
        "--flagfile=/no/such",
        "--noxla=1",
        "--optimizer=sdg",
        "--num_batches=1",
        "--num_epochs=1",
        "--batch_size=-1",
        "--use_fp16",
        "--precision=bf16",
        "extra",
        "--model=resnet5",
        "--gpu_indices=0,1,2",
        "--momentum",
    )
    flags = ["flagfile", "noxla", "momentum", "modle", "extra", "num_gpus", "batch_size", "optimizer"]
    assert [name for name, problem in zip(flags, found, strict=False) if name not in problem] == []
    among = found[len(flags) :]
    assert [problem.split(" ")[0] for problem in among] == ["--num_batches=1", "--model=resnet5:", "--use_fp16"]


def test_a_rule_is_silent_where_its_option_cannot_be_read():
    [found] = problems_of("--num_gpus=two", "--gpu_indices=0,1")
    assert found.startswith("--num_gpus=two")


def test_the_last_value_counts_also_after_an_unreadable_one():
    assert parse(["--num_gpus=two", "--num_gpus=2"]).params.num_gpus == 2


def test_the_error_is_one_for_users_and_prints_every_problem():
    error = CommandLineError(["one", "two"])
    assert isinstance(error, UserError)
    assert str(error) == "one\ntwo"


def test_flagfile(tmp_path):
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.write_text("--num_gpus=4\n")
    outer.write_text(f"# a comment\n\n--model=resnet50\n--flagfile={inner}\n--noxla\n")
    command = parse(["--num_gpus=2", "--flagfile", str(outer)])
    assert command.params == Params(model="resnet50", num_gpus=4)
    assert command.given == {"model", "num_gpus", "xla"}
    assert parse([f"--flagfile={outer}", "--num_gpus=2"]).params.num_gpus == 2


def test_flagfile_named_in_a_flagfile_is_missing(tmp_path):
    outer = tmp_path / "outer"
    outer.write_text("--flagfile=/no/such\n")
    [found] = problems_of(f"--flagfile={outer}")
    assert found.startswith(f"--flagfile={outer} cannot be read: /no/such: No such file or directory.")


def test_flagfile_that_is_no_text(tmp_path):
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    [found] = problems_of(f"--flagfile={binary}")
    assert "cannot be read: it is not text" in found


def test_undefok():
    assert parse(["--undefok=new_flag,other", "--new_flag=3", "--noother", "--num_gpus=2"]).params.num_gpus == 2


def test_arguments_after_two_dashes_are_positional():
    [found] = problems_of("--num_gpus=2", "--", "--num_gpus=3")
    assert found.startswith("Received unknown positional arguments: --num_gpus=3.")


def test_no_tensorflow_and_no_numpy():
    program = (
        "import sys\n"
        "from benchmarks.params import *\n"
        "assert parse(['--helpfull']).answer and parse(['--list_models']).answer\n"
        "command = parse(['--model=resnet50', '--staged_vars'])\n"
        "notices(command.params, command.given), environment_variables(resolve(command.params, device='gpu'))\n"
        "try: parse(['--modle=x'])\n"
        "except CommandLineError: pass\n"
        "print({'tensorflow', 'numpy', 'keras'} & set(sys.modules))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("set()\n", "")


def test_a_line_of_a_flagfile_without_its_equals_sign_is_shown_as_it_should_be(tmp_path):
    (tmp_path / "flags").write_text("--device cpu\n")
    with pytest.raises(
        CommandLineError, match=r"Unknown flag --device cpu\. Write name and value with = between: --device=cpu"
    ):
        parse([f"--flagfile={tmp_path}/flags"])
