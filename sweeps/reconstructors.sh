#!/usr/bin/env bash
# Queue one experiment for each reconstructor and seed:
#
#   sweeps/reconstructors.sh [MODELS [SEEDS]]     e.g. sweeps/reconstructors.sh unet,vgg16 1,2,3
#   dvc queue start --jobs 2                      # on each machine that shares the cache, as many
#   dvc exp show --only-changed
#
# Without arguments: all reconstructors of params.yaml, seeds 1 to 3. Each experiment runs the chain
# of its own reconstructor alone, and takes from the cache what another one has computed.
set -euo pipefail
cd "$(dirname "$0")/.."

all=$(python -c "import sys; sys.path.insert(0, 'src')
from unmask.core.params.models import reconstructor_names
print(','.join(reconstructor_names()))")

dvc exp run --queue headline --set-param "recon.model=${1:-$all}" --set-param "train.seed=${2:-1,2,3}"
