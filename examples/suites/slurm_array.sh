#!/usr/bin/env bash
# A suite, its cells dealt out to the tasks of a Slurm array. From the project's folder:
#   sbatch examples/suites/slurm_array.sh
# The tasks share a folder: each has a journal of its own there, and records of all are read together. A task that is
# requeued goes on where it was; so does another array that is given the folder of the first, or one task of it:
#   RESULTS_DIR=runs/nightly-77 sbatch examples/suites/slurm_array.sh
#   RESULTS_DIR=runs/nightly-77 sbatch --array=2 examples/suites/slurm_array.sh
#SBATCH --job-name=cnn-suite
#SBATCH --array=1-4  # as many as parts below
#SBATCH --ntasks=1
#SBATCH --gpus-per-task=8
#SBATCH --cpus-per-task=32
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
#SBATCH --output=suite-%A-%a.log
set -euo pipefail

python="${PYTHON:-.venv/bin/python}"
results_dir="${RESULTS_DIR:-runs/nightly-$SLURM_ARRAY_JOB_ID}"
parts=4

suite=(nightly)
journal="$results_dir/suite-$SLURM_ARRAY_TASK_ID-of-$parts.jsonl"
if [[ -f "$journal" && $(wc -l < "$journal") -gt 0 ]]; then  # it began: its first line is whole
    suite=(--resume)
fi
# exec: Slurm's signal comes to the suite itself.
exec "$python" -m benchmarks.suite "${suite[@]}" --results_dir="$results_dir" --shard="$SLURM_ARRAY_TASK_ID/$parts"
