#!/usr/bin/env bash
# One parameter server and four workers under Slurm; every task runs the same line. From the project's folder:
#   sbatch examples/slurm.sh
# TensorFlow's resolver gives roles to tasks in Slurm's order: first the ps, then the workers. Ports are 8470 and up.
#SBATCH --job-name=cnn-benchmark
#SBATCH --ntasks=5
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --time=00:30:00
#SBATCH --output=benchmark-%j.log
set -euo pipefail

python="${PYTHON:-.venv/bin/python}"

# --kill-on-bad-exit takes the rest along should a process be stuck; the processes end each other well before.
srun --kill-on-bad-exit=1 --label "$python" run_benchmark.py \
    --cluster_resolver=slurm \
    --cluster_jobs=ps:1,worker:4 \
    --cluster_timeout_secs=120 \
    --model=resnet50 \
    --batch_size=64 \
    --num_gpus=1 \
    --variable_update=parameter_server \
    --results_dir="${RESULTS_DIR:-runs}"
