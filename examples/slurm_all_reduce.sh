#!/usr/bin/env bash
# Two nodes with eight GPUs each, gradients averaged by NCCL across all sixteen; no parameter server. From the project's
# folder:
#   sbatch examples/slurm_all_reduce.sh
#SBATCH --job-name=cnn-benchmark
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-task=8
#SBATCH --time=00:30:00
#SBATCH --output=benchmark-%j.log
set -euo pipefail

python="${PYTHON:-.venv/bin/python}"

srun --kill-on-bad-exit=1 --label "$python" run_benchmark.py \
    --cluster_resolver=slurm \
    --cluster_jobs=worker:2 \
    --cluster_timeout_secs=120 \
    --model=resnet50 \
    --batch_size=64 \
    --num_gpus=8 \
    --variable_update=collective_all_reduce \
    --results_dir="${RESULTS_DIR:-runs}"
